package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"pushpull/shared/webhook"
)

// A scheme is a way to authenticate, or to read a body, as one provider has it.
type scheme struct {
	name   string
	source string
	events int // of a request
	make   func(s setting, at time.Time) (webhook.Request, error)
}

// schemes are those that are measured, in the order of the table.
var schemes = []scheme{
	{"HMAC SHA-256, a push of 5 KB", sourceName, 1, func(setting, time.Time) (webhook.Request, error) { return samplePush(), nil }},
	{"HMAC, Standard Webhooks", "standard-webhooks", 1, sampleOf("standard-webhooks", "user.created")},
	{"HMAC with a handshake to look for", "slack", 1, sampleOf("slack", "message")},
	{"Ed25519", "discord", 1, sampleOf("discord", "APPLICATION_AUTHORIZED")},
	{"ECDSA P-256, a batch of 10", "sendgrid", 10, tenMails},
	{"RSA, the certificate fetched before", "paypal", 1, sampleOf("paypal", "PAYMENT.CAPTURE.COMPLETED")},
	{"JWT HS256", "vonage", 1, sampleOf("vonage", "message.delivered")},
	{"JWT RS256, the key set fetched before", "google-pubsub", 1, sampleOf("google-pubsub", "OBJECT_FINALIZE")},
	{"HMAC SHA-1 of a sorted form, made JSON", "twilio", 1, sampleOf("twilio", "message.delivered")},
	{"HMAC, a batch of 100", "batch", 100, func(setting, time.Time) (webhook.Request, error) { return batchOf(100, 0), nil }},
}

func sampleOf(name, typ string) func(setting, time.Time) (webhook.Request, error) {
	return func(s setting, at time.Time) (webhook.Request, error) {
		return sampleRequest(name, typ, s.sources[name].Webhook.With, at)
	}
}

// tenMails is SendGrid's request for ten mails.
func tenMails(_ setting, at time.Time) (webhook.Request, error) {
	var all []string
	for i := range 10 {
		all = append(all, fmt.Sprintf(`{"email":"hello@example.com","timestamp":%d,"smtp-id":"<%d@mail.example.com>","event":"delivered",`+
			`"category":["welcome"],"sg_event_id":"ZGVsaXZlcmVkLTAtMTI%d","sg_message_id":"14c5d75ce93.dfd.64b469.filter0001.16648.%d","response":"250 OK"}`, at.Unix(), i, i, i))
	}
	return newRequest("sendgrid", "application/json", []byte("["+strings.Join(all, ",")+"]\r\n")), nil
}

// batchOf is a request of n events, each with so many bytes of text besides.
func batchOf(n, text int) webhook.Request {
	var b bytes.Buffer
	b.WriteString(`{"events":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"evt_%08d","type":"order.paid","created_at":"2026-11-23T08:00:00Z","customer":"cus_%08d","amount":1999,"currency":"EUR","text":"%s"}`,
			i, i, strings.Repeat("x", text))
	}
	b.WriteString(`]}`)
	return newRequest("batch", "application/json", b.Bytes())
}

// A schemeRow is what one scheme takes.
type schemeRow struct {
	Name       string  `json:"name"`
	Source     string  `json:"source"`
	Events     int     `json:"events"` // of a request
	Bytes      int     `json:"bytes"`  // of its body
	CPURequest float64 `json:"cpu_per_request_us"`
	CPUEvent   float64 `json:"cpu_per_event_us"`
	P50        float64 `json:"p50_us"` // of a request
}

// measureSchemes runs the receiver with each scheme in turn, so many rounds.
func (s stage) measureSchemes(ctx context.Context, receiver function, many setting, rounds, requests int) ([]schemeRow, error) {
	at := time.Now()
	rows := make([]schemeRow, len(schemes))
	all := make([]measured, len(schemes))
	payloads := make([][]byte, len(schemes))
	for i, scheme := range schemes {
		r, err := scheme.make(many, at)
		if err != nil {
			return nil, err
		}
		if err := many.sign(scheme.source, &r, at); err != nil {
			return nil, err
		}
		if payloads[i], err = payload(r); err != nil {
			return nil, err
		}
		rows[i] = schemeRow{Name: scheme.name, Source: scheme.source, Events: scheme.events, Bytes: len(r.Body)}
	}
	for range rounds {
		idle, err := s.run(ctx, receiver, job{setting: many})
		if err != nil {
			return nil, err
		}
		for i := range schemes {
			all[i].idle = append(all[i].idle, idle)
			warm, err := s.run(ctx, receiver, job{setting: many, payload: payloads[i], events: requests})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", rows[i].Source, err)
			}
			if got := warm.queued; got != requests*rows[i].Events {
				return nil, fmt.Errorf("%s: %d events were queued, not %d", rows[i].Source, got, requests*rows[i].Events)
			}
			all[i].warm = append(all[i].warm, warm)
		}
	}
	for i := range rows {
		rows[i].CPURequest = all[i].cpuPerEvent()
		rows[i].CPUEvent = rows[i].CPURequest / float64(rows[i].Events)
		rows[i].P50 = all[i].percentile(0.50)
	}
	return rows, nil
}

func writeSchemes(w io.Writer, rows []schemeRow) error {
	_, _ = fmt.Fprintln(w, "\nthe receiver with all presets, by scheme")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "\tsource\tbody (KB)\tevents\tCPU per request (µs)\tCPU per event (µs)\tp50 of a request (µs)\t")
	for _, row := range rows {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%.1f\t%d\t%.0f\t%.0f\t%.0f\t\n",
			row.Name, row.Source, float64(row.Bytes)/1e3, row.Events, row.CPURequest, row.CPUEvent, row.P50)
	}
	return table.Flush()
}
