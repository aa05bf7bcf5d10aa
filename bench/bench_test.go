package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestTheSampleIsAPushOfFiveKilobytes(t *testing.T) {
	t.Parallel()
	body := sampleBody()
	if !json.Valid([]byte(body)) || len(body) < 4500 || len(body) > 5500 {
		t.Errorf("%d bytes, JSON %v", len(body), json.Valid([]byte(body)))
	}
	if _, err := samplePayload(); err != nil {
		t.Error(err)
	}
}

func TestTheQueueAnswersAsSQSDoes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, target, in, want string }{
		{
			"one message", "AmazonSQS.SendMessage", `{"QueueUrl":"q","MessageBody":"hello"}`,
			`{"MessageId":"5fea7756-0ea4-451a-a703-a558b933e274","MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592"}`,
		},
		{
			"a batch", "AmazonSQS.SendMessageBatch", `{"Entries":[{"Id":"0","MessageBody":"hello"}]}`,
			`{"Successful":[{"Id":"0","MessageId":"5fea7756-0ea4-451a-a703-a558b933e274","MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592"}]}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(test.in))
			r.Header.Set("X-Amz-Target", test.target)
			queueService(w, r)
			if got := strings.TrimSpace(w.Body.String()); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// A function that answers like one of Lambda's is measured; one that does not is an error.
func TestTheRuntimeAPIMeasuresAFunction(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, answer string
		wantErr      bool
	}{
		{"accepted", `{"statusCode":202}`, false},
		{"refused", `{"statusCode":401}`, true},
		{"nonsense", `<html>`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			api := newRuntimeAPI([]byte(`{}`), 3)
			address, err := serve(ctx, api.handler())
			if err != nil {
				t.Fatal(err)
			}
			go fakeFunction(ctx, "http://"+address+runtimePath+"invocation/", test.answer)
			got, err := api.wait(ctx, time.Now())
			if (err != nil) != test.wantErr {
				t.Fatal(err)
			}
			if err == nil && (len(got.duration) != 3 || got.init <= 0 || got.first < got.init) {
				t.Errorf("measured %+v", got)
			}
		})
	}
}

// fakeFunction takes what there is and answers it, until there is no more.
func fakeFunction(ctx context.Context, invocation, answer string) {
	call := func(method, url, body string) string {
		request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
		if err != nil {
			return ""
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			return ""
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		return response.Header.Get("Lambda-Runtime-Aws-Request-Id")
	}
	for {
		id := call(http.MethodGet, invocation+"next", "")
		if id == "" {
			return
		}
		call(http.MethodPost, invocation+id+"/response", answer)
	}
}

func TestTheReportSaysWhatWasReached(t *testing.T) {
	t.Parallel()
	runs := func(ms int) measured {
		d := time.Duration(ms) * time.Millisecond
		one := run{init: d, first: 2 * d, cpu: d, duration: []time.Duration{d}, rss: int64(ms)}
		warm := run{cpu: 5 * d, duration: []time.Duration{d, d, d, d}}
		return measured{idle: []run{one}, cold: []run{one}, warm: []run{warm}}
	}
	r := compare(runs(3), runs(5))
	r.Stack = &throughput{Events: 10, Accepted: 2000, Delivered: 999, Aim: aimThroughput}
	var out bytes.Buffer
	if err := r.write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0.60  ≤ 0.75  reached", "CPU per event (µs)    3000.0  5000.0", "999 delivered a second, aim ≥ 1000, missed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
