package main

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"pushpull/shared/job"
	"pushpull/shared/queue"
)

func TestADeadLetterSaysWhatItIsOf(t *testing.T) {
	t.Parallel()
	type of struct{ Key, Source string }
	backfill := job.Job{Source: "shop", Poll: "orders", Backfill: "k3f9q2", Reason: job.Backfills}
	for _, tt := range []struct {
		name, key, body string
		want            of
	}{
		{"of an event that cannot be read", "shop/evt_1", "?", of{"shop/evt_1", "shop"}},
		{"of a poll job", "shop.orders", job.Job{Source: "shop", Poll: "orders"}.Encode(), of{"shop.orders", "shop"}},
		{"of a backfill's job", backfill.Key(), backfill.Encode(), of{"shop.orders/k3f9q2", "shop"}},
		{"of a poll job whose function was cut off", "", backfill.Encode(), of{"shop.orders/k3f9q2", "shop"}},
		{"of what nobody can read", "", "?", of{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := types.Message{Body: aws.String(tt.body)}
			if tt.key != "" {
				m.MessageAttributes = map[string]types.MessageAttributeValue{queue.AttributeKey: {StringValue: aws.String(tt.key)}}
			}
			got := readDeadLetter(m)
			if diff := cmp.Diff(tt.want, of{got.Key, got.Source}); diff != "" {
				t.Error(diff)
			}
		})
	}
}
