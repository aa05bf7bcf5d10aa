package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/local/lambda"
)

func TestWhatHappensIsALineForAPerson(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ give, want string }{
		"an event that came in":            {`{"time":"2026-11-23T20:14:03Z","level":"INFO","msg":"event received","source":"sandbox","transport":"webhook","id":"e1","type":"order.paid","entity":"ord_7"}`, "webhook  sandbox     order.paid            ord_7                     received"},
		"a delivery":                       {`{"msg":"event delivered","source":"sandbox","transport":"webhook","type":"order.paid","entity":"ord_7","destination":"crm","took":"3.2ms"}`, "webhook  sandbox     order.paid            ord_7                     delivered → crm 3 ms"},
		"one that no webhook brought":      {`{"msg":"event delivered","source":"s","transport":"poll","type":"t","id":"1","destination":"crm","took":"3µs","missed":true}`, "poll     s           t                     1                         delivered → crm <1 ms, healed: only the poll found it"},
		"a duplicate":                      {`{"msg":"duplicate dropped","source":"s","transport":"poll","type":"t","id":"1"}`, "poll     s           t                     1                         duplicate dropped"},
		"a failure":                        {`{"msg":"delivery failed","source":"s","transport":"poll","type":"t","id":"1","destination":"crm","attempt":2,"reason":"503"}`, "poll     s           t                     1                         attempt 2 → crm failed: 503"},
		"a poll that found something":      {`{"msg":"source polled","source":"s","records":5,"new":2,"missed":1}`, "poll     s                                                           polled: 5 records, 2 new, 1 that no webhook brought"},
		"a poll that found nothing":        {`{"msg":"source polled","source":"s","records":5,"new":0,"missed":0}`, ""},
		"metrics":                          {`{"_aws":{}}`, ""},
		"what is of no interest":           {`{"msg":"sources scheduled","level":"INFO"}`, ""},
		"a warning":                        {`{"msg":"payload not kept","level":"WARN","source":"s","id":"1","error":"no room"}`, "         s                                 1                         payload not kept: no room"},
		"what is no log line":              {`panic: oh`, "                                                                     panic: oh"},
		"what would move the cursor":       {`{"msg":"event received","source":"s","transport":"webhook","type":"\u001b[2Jx","id":"1"}`, "webhook  s           ·[2Jx                 1                         received"},
		"a long id, whose end tells apart": {`{"msg":"event received","source":"s","transport":"webhook","type":"t","id":"00000000-0000-0000-0000-000000000001"}`, "webhook  s           t                     …-0000-0000-000000000001  received"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			o := newDevOutput(&b, false)
			o.line(lambda.Line{Function: "F", Text: []byte(tt.give)})
			o.close()
			got := b.String()
			if got != "" {
				got = strings.TrimSuffix(got[len("20:14:03  "):], "\n")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLogsAreGivenAsTheyAre(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	o := newDevOutput(&b, true)
	o.line(lambda.Line{Text: []byte(`{"_aws":{}}`)})
	o.note("not said")
	o.progress("not shown")()
	o.close()
	if got := b.String(); got != "{\"_aws\":{}}\n" {
		t.Errorf("printed %q", got)
	}
}

func TestWhatTheStackLogsIsPlainText(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	o := newDevOutput(&b, false)
	log := slog.New(o.handler()).With("function", "F")
	log.Debug("not said")
	log.Error("a function did not start", "error", "line 1\nline 2")
	o.close()
	want := "  a function did not start, function F: line 1\n          line 2\n"
	if got := b.String(); !strings.HasSuffix(got, want) {
		t.Errorf("printed %q, want it to end with %q", got, want)
	}
}
