// Command plain is what the receiver is measured against: a handler as the
// guides write it, with the SDK's default configuration, one HMAC and one
// SendMessage. It does less than the receiver: it finds no identity, writes no
// log and no metrics.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	h := handler{
		queue:    sqs.NewFromConfig(cfg),
		queueURL: os.Getenv("EVENT_QUEUE_URL"),
		secret:   []byte(os.Getenv("GITHUB_WEBHOOK_SECRET")),
	}
	lambda.Start(h.handle)
}

type handler struct {
	queue    *sqs.Client
	queueURL string
	secret   []byte
}

func (h handler) handle(ctx context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	mac := hmac.New(sha256.New, h.secret)
	mac.Write([]byte(r.Body))
	signature := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(signature), []byte(r.Headers["x-hub-signature-256"])) {
		return events.APIGatewayV2HTTPResponse{StatusCode: 401}, nil
	}
	_, err := h.queue.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &h.queueURL, MessageBody: &r.Body})
	if err != nil {
		return events.APIGatewayV2HTTPResponse{StatusCode: 503}, err
	}
	return events.APIGatewayV2HTTPResponse{StatusCode: 202}, nil
}
