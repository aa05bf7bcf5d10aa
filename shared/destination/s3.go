package destination

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

var s3Kind = Kind{
	Name:   "s3",
	Doc:    "Puts events into a bucket as NDJSON or Parquet, partitioned by source, type and time.",
	Fields: []string{"bucket", "prefix", "format", "compression", "batch", "timeout", "retry"},
	Permissions: func(c config.Destination) []Permission {
		fixed, _, _ := strings.Cut(c.Prefix, "{")
		return []Permission{{Actions: []string{"s3:PutObject"}, Resources: []string{"arn:${AWS::Partition}:s3:::" + c.Bucket + "/" + fixed + "*"}}}
	},
	Idempotency: "An object is named by the identities in it, so that putting it again overwrites it; with batch, events that are tried again in other company are there twice, under the same id.",
	Limits:      "An object per event; with batch, one for the events of an invocation that share a partition.",
	open:        openS3,
}

const (
	defaultPrefix = "{source}/{type}/{yyyy}/{mm}/{dd}/{hh}"
	putsAtOnce    = 8
)

type bucket struct {
	client  *s3.Client
	name    string
	prefix  string
	form    form
	size    int // events of an object at most
	timeout time.Duration
}

func openS3(c config.Destination, env *Env) (Destination, error) {
	if c.Bucket == "" {
		return nil, errors.New("bucket: is empty: write the name of the bucket")
	}
	settings, err := env.aws()
	if err != nil {
		return nil, err
	}
	b := &bucket{
		client: s3.NewFromConfig(settings, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil }),
		name:   c.Bucket, prefix: cmp.Or(c.Prefix, defaultPrefix), size: 1, timeout: timeoutOf(c),
	}
	if c.Batch != nil {
		b.size = cmp.Or(c.Batch.Size, maxObject)
	}
	b.form, err = formOf(c.Format, c.Compression)
	return b, err
}

// maxObject is how many events are gathered for objects where batch does not say.
const maxObject = 500

// Batch is what is gathered for objects: nothing, unless the configuration says
// so, as only a batch of one is the same batch when it is tried again.
func (b *bucket) Batch() BatchLimits { return BatchLimits{Count: b.size} }

// Deliver puts an object of one event.
func (b *bucket) Deliver(ctx context.Context, e event.Event) (Result, error) { return alone(ctx, b, e) }

// DeliverBatch puts an object for each partition. Its events have one outcome.
func (b *bucket) DeliverBatch(ctx context.Context, events []event.Event) []Outcome {
	all := make([]Outcome, len(events))
	partitions := map[string][]int{}
	for i, e := range events {
		if err := e.Validate(); err != nil { // it must not spoil the object for the others
			all[i].Err = &Permanent{Err: err}
			continue
		}
		folder := b.folder(e)
		partitions[folder] = append(partitions[folder], i)
	}
	var g errgroup.Group
	g.SetLimit(putsAtOnce)
	for folder, at := range partitions {
		g.Go(func() error {
			group := make([]event.Event, len(at))
			for i, place := range at {
				group[i] = events[place]
			}
			err := b.put(ctx, folder, group)
			for _, place := range at {
				all[place].Err = err
			}
			return nil
		})
	}
	_ = g.Wait() // the errors are the outcomes
	return all
}

func (b *bucket) put(ctx context.Context, folder string, events []event.Event) error {
	slices.SortFunc(events, func(a, b event.Event) int { return strings.Compare(a.Key(), b.Key()) })
	body, err := b.form.encode(events)
	if err != nil {
		return &Permanent{Err: fmt.Errorf("write the object: %w", err)}
	}
	_, err = within(ctx, b.timeout, func(ctx context.Context) (*s3.PutObjectOutput, error) {
		return b.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &b.name, Key: aws.String(folder + objectName(events) + b.form.suffix),
			Body: bytes.NewReader(body), ContentType: &b.form.contentType,
		})
	})
	return err
}

// objectName is made of the identities, which are sorted: the same events have
// the same name.
func objectName(events []event.Event) string {
	keys := make([]string, len(events))
	for i, e := range events {
		keys[i] = e.Key()
	}
	return digest(strings.Join(keys, "\n"))[:32]
}

// folder is the partition of an event: by the time at which it happened, which a
// retry does not change.
func (b *bucket) folder(e event.Event) string {
	at := e.Time
	if at.IsZero() {
		at = e.ReceivedTime
	}
	at = at.UTC()
	folder := strings.NewReplacer(
		"{source}", segment(e.Source), "{type}", segment(e.Type),
		"{yyyy}", at.Format("2006"), "{mm}", at.Format("01"), "{dd}", at.Format("02"), "{hh}", at.Format("15"),
	).Replace(b.prefix)
	return strings.Trim(folder, "/") + "/"
}

// segment makes of a provider's words one step of a path, and no step up.
func segment(s string) string {
	safe := strings.Map(func(r rune) rune {
		if strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", r) {
			return r
		}
		return '_'
	}, s)
	if len(safe) > 128 {
		safe = safe[:128]
	}
	if strings.Trim(safe, ".") == "" {
		return "_"
	}
	return safe
}
