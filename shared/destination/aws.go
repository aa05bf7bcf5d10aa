package destination

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

// onceAWS asks for the SDK's settings when they are first needed, and has each
// call made once: attempts are the ledger's to count and to space.
func onceAWS(load func() (aws.Config, error)) func() (aws.Config, error) {
	return sync.OnceValues(func() (aws.Config, error) {
		if load == nil {
			return aws.Config{}, errors.New("there is nothing to call AWS with")
		}
		c, err := load()
		if err != nil {
			return aws.Config{}, fmt.Errorf("set the calls of AWS up: %w", err)
		}
		c.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
		return c, nil
	})
}

// timeoutOf is how long one call may take.
func timeoutOf(c config.Destination) time.Duration {
	if c.Timeout > 0 {
		return c.Timeout.Std()
	}
	return defaultTimeout
}

// within bounds one call of a service, and says what its error means.
func within[O any](ctx context.Context, timeout time.Duration, call func(context.Context) (O, error)) (O, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := call(ctx)
	return out, judgeAWS(err)
}

// group is what must stay in order: the entity, or the event alone.
func group(e event.Event) string {
	if e.Subject != "" {
		return e.Source + "/" + e.Subject
	}
	return e.Key()
}

// attributes are what consumers filter by, as message attributes; of those that
// a service would refuse the envelope alone tells.
func attributes(e event.Event) map[string]string {
	all := map[string]string{
		"id": e.ID, "source": e.Source, "type": e.Type, "subject": e.Subject, "version": e.Version,
		"transport": string(e.Transport), "correlationid": e.CorrelationID, "traceparent": e.TraceParent,
	}
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" || !printable(value) })
	return all
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0xFFFE || r == 0xFFFF })
}

// fifoID is a text as FIFO queues and topics take it, 128 printable ASCII
// characters at most; one that is not is hashed.
func fifoID(s string) string {
	if len(s) > 128 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return digest(s)
	}
	return s
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// regionOf is that of an ARN, which may be another than our own.
func regionOf(text, own string) string {
	if parts := strings.SplitN(text, ":", 6); len(parts) == 6 && parts[0] == "arn" && parts[3] != "" {
		return parts[3]
	}
	return own
}

// resource is the ARN of a thing that may be written as its name alone.
func resource(text, service, prefix string) string {
	if strings.HasPrefix(text, "arn:") {
		return text
	}
	return "arn:${AWS::Partition}:" + service + ":${AWS::Region}:${AWS::AccountId}:" + prefix + text
}
