package checkpoint

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

const (
	lockPrefix = "lock/"
	lockPause  = 200 * time.Millisecond // between two tries, on average
)

// Lock waits for a lock of that name while ctx lasts; the error is ErrHeld when
// another has it for all that time. It is free again when unlock was called, or
// after the length: who needs it for longer has it no more.
func (s *Store) Lock(ctx context.Context, name string, length time.Duration) (unlock func(context.Context), err error) {
	owner := rand.Text()
	for waited := false; ; waited = true {
		held, err := s.tryLock(ctx, name, owner, length)
		switch {
		case err != nil && waited && ctx.Err() != nil:
			return nil, fmt.Errorf("lock %s: %w", name, ErrHeld)
		case err != nil:
			return nil, fmt.Errorf("lock %s: %w", name, err)
		case !held:
			return func(ctx context.Context) { s.unlock(ctx, name, owner) }, nil
		}
		pause := time.NewTimer(lockPause/2 + mathrand.N(lockPause)) //nolint:gosec // jitter
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil, fmt.Errorf("lock %s: %w", name, ErrHeld)
		case <-pause.C:
		}
	}
}

// tryLock reports whether another has the lock. A call whose answer was lost may
// have taken it, which the same owner sees at the next try.
func (s *Store) tryLock(ctx context.Context, name, owner string, length time.Duration) (held bool, err error) {
	now := s.now()
	_, err = s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(s.table), Key: item{"key": text(lockPrefix + name)},
		UpdateExpression:          aws.String("SET #owner = :owner, #until = :until"),
		ConditionExpression:       aws.String("attribute_not_exists(#owner) OR #until < :now OR #owner = :owner"),
		ExpressionAttributeNames:  map[string]string{"#owner": "owner", "#until": "until"},
		ExpressionAttributeValues: item{":owner": text(owner), ":until": instant(now.Add(length)), ":now": instant(now)},
	})
	if failedCondition(err) {
		return true, nil
	}
	return false, err
}

// unlock frees the lock if it is still ours. Where it cannot, the lock runs out.
func (s *Store) unlock(ctx context.Context, name, owner string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, _ = s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(s.table), Key: item{"key": text(lockPrefix + name)},
		UpdateExpression:          aws.String("REMOVE #owner, #until"),
		ConditionExpression:       aws.String("#owner = :owner"),
		ExpressionAttributeNames:  map[string]string{"#owner": "owner", "#until": "until"},
		ExpressionAttributeValues: item{":owner": text(owner)},
	})
}
