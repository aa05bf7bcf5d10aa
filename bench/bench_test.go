package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pushpull/shared/body"
	"pushpull/shared/config"
	"pushpull/shared/webhook"
)

func TestTheSampleIsAPushOfFiveKilobytes(t *testing.T) {
	t.Parallel()
	body := sampleBody()
	if !json.Valid([]byte(body)) || len(body) < 4500 || len(body) > 5500 {
		t.Errorf("%d bytes, JSON %v", len(body), json.Valid([]byte(body)))
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
			var k kept
			k.ServeHTTP(w, r)
			if got := strings.TrimSpace(w.Body.String()); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if messages, bodies := k.counts(); messages != 1 || bodies != 0 {
				t.Errorf("counted %d messages and %d bodies", messages, bodies)
			}
		})
	}
}

// A function that answers like one of Lambda's is measured; one that does not is an error.
func TestTheRuntimeAPIMeasuresAFunction(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, answer string
		any          bool
		wantErr      bool
	}{
		{"accepted", `{"statusCode":202}`, false, false},
		{"accepted in the words of its provider", `{"statusCode":204}`, false, false},
		{"refused", `{"statusCode":401}`, false, true},
		{"refused, where any answer will do", `{"statusCode":413}`, true, false},
		{"nonsense", `<html>`, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			api := newRuntimeAPI(job{payload: []byte(`{}`), events: 3, any: test.any})
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
		one := run{init: d, first: 2 * d, cpu: d, duration: []time.Duration{d}, peak: int64(ms)}
		warm := run{cpu: 5 * d, duration: []time.Duration{d, d, d, d}}
		return measured{idle: []run{one}, cold: []run{one}, warm: []run{warm}}
	}
	r := compare(runs(3), runs(5))
	r.Many = &manyReport{Sources: 500, Presets: 286, Bytes: 1e6, Pairs: 3, Deployed: []manyRow{manyRowOf("init", "ms", aimMany, pairsOf(5, 5, 10), pairInit)}}
	r.Schemes = []schemeRow{{Name: "Ed25519", Source: "discord", Events: 1, Bytes: 300, CPURequest: 700, CPUEvent: 700, P50: 900}}
	r.Heavy = []heavyRow{{Name: "JSON of 6 MB", Bytes: heaviest, Answer: 202, Queued: 1, Stored: 1, Memory: 300, Took: 50, Aim: aimMemory}}
	r.Stack = &throughput{Events: 10, Accepted: 2000, Delivered: 999, Aim: aimThroughput}
	var out bytes.Buffer
	if err := r.write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"0.60  ≤ 0.75  reached", "CPU per event (µs)    3000.0  5000.0", "999 delivered a second, aim ≥ 1000, missed",
		"0.500  0.50 to 0.75  ≤ 1.05  reached", "Ed25519  discord", "300  ≤ 200  missed",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

// pairsOf are pairs of which the receiver with one source took 10 ms to start,
// and the other that many.
func pairsOf(ms ...int) []pair {
	var all []pair
	for _, n := range ms {
		all = append(all, pair{few: run{init: 10 * time.Millisecond}, many: run{init: time.Duration(n) * time.Millisecond}})
	}
	return all
}

func pairInit(p pair) (few, many float64) { return milliseconds(p.few.init), milliseconds(p.many.init) }

func TestAQuantileLiesBetweenTheValues(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		values []float64
		share  float64
		want   float64
	}{
		{"the median of three", []float64{3, 1, 2}, 0.5, 2},
		{"the median of two is between them", []float64{1, 2}, 0.5, 1.5},
		{"the first quartile", []float64{5, 4, 3, 2, 1}, 0.25, 2},
		{"the greatest", []float64{1, 9, 5}, 1, 9},
		{"of one value", []float64{7}, 0.75, 7},
		{"of none", nil, 0.5, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := quantile(test.values, test.share); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// To load it all takes long with the race detector: the benchmark does.
func TestTheLargeConfigurationHasEveryPreset(t *testing.T) {
	t.Parallel()
	text, err := manyYAML()
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text, ": { webhook: {"); n != manySources {
		t.Errorf("there are %d sources, want %d", n, manySources)
	}
	for _, name := range presets() {
		if !strings.Contains(text, "\n  "+name+": { webhook: { provider: "+name) {
			t.Errorf("preset %s has no source", name)
		}
	}
}

func TestEverySchemeHasARequestThatItsSourceTakes(t *testing.T) {
	t.Parallel()
	text, err := yamlOf(measuredSources)
	if err != nil {
		t.Fatal(err)
	}
	many, err := newSetting(t.TempDir(), text)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	for _, s := range schemes {
		t.Run(s.source, func(t *testing.T) {
			t.Parallel()
			r, err := s.make(many, at)
			if err != nil {
				t.Fatal(err)
			}
			if err := many.sign(s.source, &r, at); err != nil {
				t.Fatal(err)
			}
			hook := many.sources[s.source].Webhook
			v, err := webhook.Compile(*hook.Auth)
			if err != nil {
				t.Fatal(err)
			}
			known := webhook.Credentials{Keys: webhook.NewKeys(webhook.NewClient(), many.ring.Folder(), time.Now)}
			for _, ref := range hook.Secret {
				known.Secrets = append(known.Secrets, many.secrets[ref])
			}
			if err := v.Verify(t.Context(), known, r, at); err != nil {
				t.Error(err)
			}
		})
	}
}

// A bomb is a good gzip: only its size is what is wrong with it.
func TestABombIsAnHonestGzip(t *testing.T) {
	t.Parallel()
	block := bytes.Repeat([]byte("0"), 1<<16)
	packed, err := gzipOf(block, 5)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(plain, bytes.Repeat(block, 5)) {
		t.Errorf("%d bytes, want %d", len(plain), 5*len(block))
	}
}

func TestALargeObjectIsAsLargeAsItSays(t *testing.T) {
	t.Parallel()
	const size = 50_000
	if object := objectOf(size); !json.Valid(object) || len(object) != size {
		t.Errorf("%d bytes, JSON %v", len(object), json.Valid(object))
	}
}

// What is to be made JSON is made JSON: a body that is over a limit would be
// kept as it came, and take less memory than what is meant.
func TestWhatIsMadeJSONIsNotOverALimit(t *testing.T) {
	t.Parallel()
	reader, err := body.Compile(config.Body{ToJSON: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, contentType string
		body              []byte
	}{
		{"a multipart", multipartType, multipartOf(100_000)},
		{"a form", "application/x-www-form-urlencoded", formBody()},
		{"XML", "application/xml", xmlBody()},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if len(test.body) > heaviest {
				t.Errorf("%d bytes are more than are taken", len(test.body))
			}
			message := reader.Read(test.body, test.contentType)
			if message.Unreadable != nil {
				t.Fatal(message.Unreadable)
			}
			if got := message.Parts[0].ContentType; got != "application/json" {
				t.Errorf("it became %s", got)
			}
		})
	}
}
