package checkpoint

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// latePrefix begins the key of a source's item, which has the number n.
const latePrefix = "late/"

// AddLate counts webhooks of a source that came after polls had counted their
// events as missed.
func (s *Store) AddLate(ctx context.Context, source string, n int) error {
	set := newChange()
	set.add("n", count(n))
	_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(s.table), Key: item{"key": text(latePrefix + source)},
		UpdateExpression: aws.String(set.expression()), ExpressionAttributeNames: set.names, ExpressionAttributeValues: set.values,
	})
	if err != nil {
		return fmt.Errorf("count %d late webhooks of %s: %w", n, source, err)
	}
	return nil
}

// Late is how many came late of each source: what its polls missed, less these, was lost.
func (s *Store) Late(ctx context.Context, sources []string) (map[string]int, error) {
	names := make([]string, len(sources))
	for i, source := range sources {
		names[i] = latePrefix + source
	}
	late := map[string]int{}
	err := s.each(ctx, names, func(it item) error {
		late[strings.TrimPrefix(textOf(it, "key"), latePrefix)] = countOf(it, "n")
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load the late webhooks of %d sources: %w", len(sources), err)
	}
	return late, nil
}
