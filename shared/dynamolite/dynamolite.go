// Package dynamolite makes the calls of DynamoDB that are made for every event,
// with the SDK's types but without its middleware, which costs the processor
// more than all it does for an event besides. It is awslite with a codec.
//
// Its one invariant: an answer is either all that the table said, or an error.
package dynamolite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/shared/awslite"
)

// Where a table is throttled, waiting costs less than delivering an event again
// because its completion could not be written.
const (
	attempts    = 10
	longestWait = 20 * time.Second
)

// A Client has the calls of ledger.API and checkpoint.API. It takes no options
// of the SDK. It is safe for concurrent use.
type Client struct{ aws *awslite.Client }

// New returns a client that makes its calls through c, more patiently than c itself.
func New(c *awslite.Client) *Client {
	return &Client{aws: c.Retrying(attempts, longestWait)}
}

// UpdateItem is DynamoDB's.
func (c *Client) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	var out struct{ Attributes attributes }
	if err := c.call(ctx, "UpdateItem", in, &out); err != nil {
		return nil, err
	}
	return &dynamodb.UpdateItemOutput{Attributes: out.Attributes}, nil
}

// GetItem is DynamoDB's.
func (c *Client) GetItem(ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	var out struct{ Item attributes }
	if err := c.call(ctx, "GetItem", in, &out); err != nil {
		return nil, err
	}
	return &dynamodb.GetItemOutput{Item: out.Item}, nil
}

// Query is DynamoDB's.
func (c *Client) Query(ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	var out struct {
		Items               []attributes
		LastEvaluatedKey    attributes
		Count, ScannedCount int32
	}
	if err := c.call(ctx, "Query", in, &out); err != nil {
		return nil, err
	}
	return &dynamodb.QueryOutput{
		Items: plain(out.Items), LastEvaluatedKey: out.LastEvaluatedKey, Count: out.Count, ScannedCount: out.ScannedCount,
	}, nil
}

// BatchGetItem is DynamoDB's.
func (c *Client) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	var out struct {
		Responses       map[string][]attributes
		UnprocessedKeys map[string]struct {
			Keys                     []attributes
			ConsistentRead           *bool
			ProjectionExpression     *string
			ExpressionAttributeNames map[string]string
		}
	}
	if err := c.call(ctx, "BatchGetItem", in, &out); err != nil {
		return nil, err
	}
	answer := &dynamodb.BatchGetItemOutput{
		Responses:       make(map[string][]map[string]types.AttributeValue, len(out.Responses)),
		UnprocessedKeys: make(map[string]types.KeysAndAttributes, len(out.UnprocessedKeys)),
	}
	for table, items := range out.Responses {
		answer.Responses[table] = plain(items)
	}
	for table, left := range out.UnprocessedKeys {
		answer.UnprocessedKeys[table] = types.KeysAndAttributes{
			Keys: plain(left.Keys), ConsistentRead: left.ConsistentRead,
			ProjectionExpression: left.ProjectionExpression, ExpressionAttributeNames: left.ExpressionAttributeNames,
		}
	}
	return answer, nil
}

// BatchWriteItem is DynamoDB's.
func (c *Client) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	var out struct {
		UnprocessedItems map[string][]struct {
			PutRequest    *struct{ Item attributes }
			DeleteRequest *struct{ Key attributes }
		}
	}
	if err := c.call(ctx, "BatchWriteItem", in, &out); err != nil {
		return nil, err
	}
	answer := &dynamodb.BatchWriteItemOutput{UnprocessedItems: make(map[string][]types.WriteRequest, len(out.UnprocessedItems))}
	for table, left := range out.UnprocessedItems {
		for _, w := range left {
			var again types.WriteRequest
			if w.PutRequest != nil {
				again.PutRequest = &types.PutRequest{Item: w.PutRequest.Item}
			}
			if w.DeleteRequest != nil {
				again.DeleteRequest = &types.DeleteRequest{Key: w.DeleteRequest.Key}
			}
			answer.UnprocessedItems[table] = append(answer.UnprocessedItems[table], again)
		}
	}
	return answer, nil
}

// TransactWriteItems is DynamoDB's.
func (c *Client) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	var out struct{}
	if err := c.call(ctx, "TransactWriteItems", in, &out); err != nil {
		return nil, err
	}
	return &dynamodb.TransactWriteItemsOutput{}, nil
}

// call makes one call; in is one of the SDK's inputs.
func (c *Client) call(ctx context.Context, operation string, in, out any) error {
	body, err := encode(in)
	if err != nil {
		return fmt.Errorf("dynamodb: %s: %w", operation, err)
	}
	err = c.aws.JSON(ctx, "dynamodb", "DynamoDB_20120810."+operation, "1.0", body, out)
	refused, ok := errors.AsType[*awslite.Error](err)
	switch {
	case ok && refused.Code == "ConditionalCheckFailedException":
		return conditionFailed(refused)
	case ok && refused.Code == "TransactionCanceledException":
		return cancelled(refused)
	}
	return err
}

// cancelled is the error of a transaction, as the SDK has it: with a reason for
// each of its items.
func cancelled(refused *awslite.Error) error {
	var detail struct {
		CancellationReasons []struct {
			Code, Message *string
			Item          attributes
		}
	}
	if err := json.Unmarshal(refused.Answer, &detail); err != nil {
		return fmt.Errorf("dynamodb: the reasons that cancelled the transaction cannot be read: %w", err)
	}
	out := &types.TransactionCanceledException{Message: &refused.Message}
	for _, r := range detail.CancellationReasons {
		out.CancellationReasons = append(out.CancellationReasons, types.CancellationReason{Code: r.Code, Message: r.Message, Item: r.Item})
	}
	return out
}

// conditionFailed is the error of a write whose condition did not hold, as the SDK
// has it: with the item, where that was asked for.
func conditionFailed(refused *awslite.Error) error {
	var detail struct{ Item attributes }
	if err := json.Unmarshal(refused.Answer, &detail); err != nil {
		return fmt.Errorf("dynamodb: the item that refused the write cannot be read: %w", err)
	}
	return &types.ConditionalCheckFailedException{Message: &refused.Message, Item: detail.Item}
}
