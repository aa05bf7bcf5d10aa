package main

import (
	"context"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// A trace is what ties together the log lines of one event.
type trace struct {
	correlation string // the caller's trace id, else the gateway's request id
	parent      string // W3C traceparent; "" where nobody sent one
}

// readTrace takes up the caller's trace: W3C trace context, else AWS's own
// header, which the gateway or the runtime adds.
func readTrace(ctx context.Context, req *request) trace {
	if parent := req.header.Get("traceparent"); validTraceParent(parent) {
		return trace{correlation: parent[3:35], parent: parent}
	}
	t := trace{correlation: requestID(ctx, req.id), parent: fromAmazon(req.header.Get("X-Amzn-Trace-Id"))}
	if t.parent == "" {
		amazon, _ := ctx.Value("x-amzn-trace-id").(string)
		t.parent = fromAmazon(amazon)
	}
	return t
}

// requestID is the gateway's id of the request, or where it gave none Lambda's
// of the invocation, in characters that may stand in a header.
func requestID(ctx context.Context, id string) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok && id == "" {
		id = lc.AwsRequestID
	}
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, cut(id, 128))
}

// validTraceParent takes version 00: 00-<32 hex>-<16 hex>-<2 hex>, neither id zero.
func validTraceParent(s string) bool {
	if len(s) != 55 || s[:3] != "00-" || s[35] != '-' || s[52] != '-' {
		return false
	}
	return isHex(s[3:35]) && isHex(s[36:52]) && isHex(s[53:]) && strings.Trim(s[3:35], "0") != "" && strings.Trim(s[36:52], "0") != ""
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// fromAmazon writes Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=1 as a
// traceparent; "" where there is no parent, or it is something else.
func fromAmazon(s string) string {
	var root, parent string
	flags := "00"
	for field := range strings.SplitSeq(s, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Root":
			root = strings.ReplaceAll(strings.TrimPrefix(value, "1-"), "-", "")
		case "Parent":
			parent = value
		case "Sampled":
			if value == "1" {
				flags = "01"
			}
		}
	}
	if w3c := "00-" + root + "-" + parent + "-" + flags; validTraceParent(w3c) {
		return w3c
	}
	return ""
}
