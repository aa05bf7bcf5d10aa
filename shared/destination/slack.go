package destination

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/jq"
)

var slackKind = Kind{
	Name:        "slack",
	Doc:         "Posts a message for people to Slack, by an incoming webhook or as an app.",
	Fields:      []string{"url", "webhook_url", "token", "channel", "message", "timeout", "allow_private", "retry"},
	Idempotency: "None: Slack knows no repetition, so an event that is delivered twice is two messages.",
	Limits:      "Slack takes about one message a second for each channel; a text is cut at 40,000 characters, and a message has at most 50 blocks.",
	open:        openSlack,
}

const (
	slackAPI       = "https://slack.com/api/chat.postMessage"
	slackMessage   = `"*\(.source)* \(.type)" + if .subject == "" then "" else ": \(.subject)" end`
	slackMostRunes = 40_000
	slackPause     = 30 * time.Second // where it is asked for, and not for how long
)

type slacker struct {
	webhook, token []string // references; one of them
	url, channel   string
	message        *jq.Program
	timeout        time.Duration
	client         *http.Client
	env            *Env
}

func openSlack(c config.Destination, env *Env) (Destination, error) {
	if len(c.WebhookURL) == 0 && (len(c.Token) == 0 || c.Channel == "") {
		return nil, errors.New("webhook_url: is missing: write the reference to an incoming webhook's address, or token and channel of an app")
	}
	message, err := jq.Compile(cmp.Or(c.Message, slackMessage))
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	return &slacker{
		webhook: c.WebhookURL, token: c.Token, url: cmp.Or(c.URL, slackAPI), channel: c.Channel, message: message,
		timeout: cmp.Or(c.Timeout.Std(), defaultTimeout), client: env.clients.pick(c.AllowPrivate), env: env,
	}, nil
}

// Deliver posts the message.
func (s *slacker) Deliver(ctx context.Context, e event.Event) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	body, err := s.body(ctx, e)
	if err != nil {
		return Result{}, err
	}
	req, err := s.request(ctx, body)
	if err != nil {
		return Result{}, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return Result{}, broken(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return Result{Status: resp.StatusCode}, broken(err)
	}
	return Result{Status: resp.StatusCode}, s.judge(resp, answer)
}

func (s *slacker) request(ctx context.Context, body []byte) (*http.Request, error) {
	values, err := s.env.resolve(ctx, slices.Concat(s.webhook, s.token))
	if err != nil {
		return nil, err
	}
	address := s.url
	if len(s.webhook) > 0 {
		address = values[0]
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil { // which quotes the address
		return nil, &Retryable{Err: errors.New("webhook_url: the secret is no address: store the one that Slack shows, https://hooks.slack.com/services/…")}
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	if len(s.webhook) > 0 {
		return req, nil
	}
	if strings.ContainsAny(values[0], "\r\n\x00") {
		return nil, &Retryable{Err: errors.New("token: the secret has a line break in it: store it without")}
	}
	req.Header.Set("Authorization", "Bearer "+values[0])
	return req, nil
}

// body is the message as Slack's API takes it.
func (s *slacker) body(ctx context.Context, e event.Event) ([]byte, error) {
	values, err := s.message.Values(ctx, slackInput(e))
	if ctx.Err() != nil {
		return nil, &Retryable{Err: ctx.Err()}
	}
	if err == nil && len(values) != 1 {
		err = fmt.Errorf("it gives %d values, not one", len(values))
	}
	if err != nil {
		return nil, &Permanent{Err: fmt.Errorf("message: %w", err)}
	}
	message := map[string]any{}
	switch v := values[0].(type) {
	case string:
		message["text"] = v
	case map[string]any:
		message = maps.Clone(v)
	default:
		return nil, &Permanent{Err: errors.New("message: it gives neither a text nor an object with text or blocks")}
	}
	if text, ok := message["text"].(string); ok {
		message["text"] = cut(text, slackMostRunes)
	}
	if s.channel != "" {
		message["channel"] = s.channel
	}
	return jq.Encode(message)
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// slackInput is the event for the expression. Its texts are escaped as Slack asks,
// so that no event mentions a channel, or hides an address behind a text: what the
// expression itself says stays Slack's markup.
func slackInput(e event.Event) any {
	data, err := jq.Decode(e.Data)
	if err != nil {
		data = nil // not JSON
	}
	return slackEscape(map[string]any{
		"id": e.ID, "source": e.Source, "type": e.Type, "time": stamp(e.Time), "subject": e.Subject,
		"version": e.Version, "transport": string(e.Transport), "data": data,
	})
}

var slackEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func slackEscape(v any) any {
	switch v := v.(type) {
	case string:
		return slackEscaper.Replace(v)
	case []any:
		for i := range v {
			v[i] = slackEscape(v[i])
		}
	case map[string]any:
		escaped := make(map[string]any, len(v))
		for key, value := range v {
			escaped[slackEscaper.Replace(key)] = slackEscape(value)
		}
		return escaped
	}
	return v
}

// slackPasses are the errors of Slack's API that pass by themselves.
var slackPasses = []string{
	"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout",
	"team_added_to_org", "rollup_error", "message_limit_exceeded",
}

// judge reads the answer: an app's says in its body whether the message was taken.
func (s *slacker) judge(resp *http.Response, body []byte) error {
	if err := judge(answers(), resp, s.env.now()); err != nil {
		return slackSays(err, string(body))
	}
	if len(s.webhook) > 0 {
		return nil
	}
	var answer struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return &Retryable{Err: errors.New("the answer is not that of Slack's API: check url")}
	}
	switch {
	case answer.OK:
		return nil
	case slices.Contains(slackPasses, answer.Error):
		return &Retryable{Err: slackSays(errors.New("not taken"), answer.Error), After: cmp.Or(retryAfter(resp.Header.Get("Retry-After"), s.env.now()), slackPause)}
	}
	return &Permanent{Err: slackSays(errors.New("not taken"), answer.Error)}
}

// slackSays adds Slack's word for an error, if it is one.
func slackSays(err error, word string) error {
	if word = strings.TrimSpace(word); word == "" || len(word) > 64 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, word)
}
