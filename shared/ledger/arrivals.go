package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Arrived tells whether an event of the source was received since then, whatever
// became of it. It reads one key of the time index, four for each hour at most.
func (l *Ledger) Arrived(ctx context.Context, source string, since time.Time) (bool, error) {
	for hour := l.now().UTC().Truncate(time.Hour); !hour.Add(time.Hour).Before(since); hour = hour.Add(-time.Hour) {
		for shard := range shards {
			out, err := l.api.Query(ctx, &dynamodb.QueryInput{
				TableName:                aws.String(l.table),
				IndexName:                aws.String(indexByTime),
				KeyConditionExpression:   aws.String("#b = :b AND #at >= :since"),
				ExpressionAttributeNames: map[string]string{"#b": attrBucket, "#at": attrAt},
				ExpressionAttributeValues: item{
					":b": text(bucketName(source, hour, shard)), ":since": text(since.UTC().Format(atLayout)),
				},
				Limit: aws.Int32(1),
			})
			if err != nil {
				return false, fmt.Errorf("look for events of %s: %w", source, err)
			}
			if len(out.Items) > 0 {
				return true, nil
			}
		}
	}
	return false, nil
}
