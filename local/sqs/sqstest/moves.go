package sqstest

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// deadLetters makes a queue and its dead-letter queue with n dead letters in it.
func (e env) deadLetters(t *testing.T, n int) (url, dead string) {
	t.Helper()
	dead = e.queue(t, nil)
	url = e.queue(t, policy(e.arn(t, dead), 1))
	for range n {
		e.send(t, url, "x")
		e.fail(t, url, 1)
	}
	return url, dead
}

func (e env) startMove(t *testing.T, in *sqs.StartMessageMoveTaskInput) string {
	t.Helper()
	out, err := e.StartMessageMoveTask(t.Context(), in)
	must(t, err)
	return aws.ToString(out.TaskHandle)
}

// moved waits until the newest task of a queue has the status.
func (e env) moved(t *testing.T, source, status string) types.ListMessageMoveTasksResultEntry {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; <-time.After(20 * time.Millisecond) {
		out, err := e.ListMessageMoveTasks(t.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: &source})
		must(t, err)
		if len(out.Results) == 1 && aws.ToString(out.Results[0].Status) == status {
			return out.Results[0]
		}
		if time.Now().After(end) {
			t.Fatalf("the task is not %s: %+v", status, out.Results)
		}
	}
}

func moveCases() []testCase {
	return []testCase{
		{"dead letters can be moved back to where they came from", func(t *testing.T, e env) {
			url, dead := e.deadLetters(t, 3)
			e.startMove(t, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(e.arn(t, dead))})
			equal(t, "the bodies", []string{"x", "x", "x"}, e.drain(t, url, 3))
			e.moved(t, e.arn(t, dead), "COMPLETED")
			e.empty(t, dead)
		}},
		{"a finished task says how many it moved", func(t *testing.T, e env) {
			_, dead := e.deadLetters(t, 2)
			e.startMove(t, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(e.arn(t, dead))})
			task := e.moved(t, e.arn(t, dead), "COMPLETED")
			equal(t, "moved", 2, task.ApproximateNumberOfMessagesMoved)
			equal(t, "of", 2, aws.ToInt64(task.ApproximateNumberOfMessagesToMove))
		}},
		{"a redriven message counts its receives from one again", func(t *testing.T, e env) {
			url, dead := e.deadLetters(t, 1)
			e.startMove(t, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(e.arn(t, dead))})
			equal(t, "the count", "1", e.one(t, url).Attributes["ApproximateReceiveCount"])
		}},
		{"dead letters can be moved to a queue of one's choice", func(t *testing.T, e env) {
			_, dead := e.deadLetters(t, 1)
			other := e.queue(t, nil)
			e.startMove(t, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(e.arn(t, dead)), DestinationArn: aws.String(e.arn(t, other))})
			e.one(t, other)
		}},
		{"a running task can be cancelled", func(t *testing.T, e env) {
			_, dead := e.deadLetters(t, 5)
			handle := e.startMove(t, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(e.arn(t, dead)), MaxNumberOfMessagesPerSecond: aws.Int32(1)})
			_, err := e.CancelMessageMoveTask(t.Context(), &sqs.CancelMessageMoveTaskInput{TaskHandle: &handle})
			must(t, err)
			e.moved(t, e.arn(t, dead), "CANCELLED")
		}},
		{"only one task can run for a queue", func(t *testing.T, e env) {
			_, dead := e.deadLetters(t, 5)
			in := &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(e.arn(t, dead)), MaxNumberOfMessagesPerSecond: aws.Int32(1)}
			e.startMove(t, in)
			_, err := e.StartMessageMoveTask(t.Context(), in)
			refusedAs[*types.UnsupportedOperation](t, err)
		}},
		{"a queue that is no dead-letter queue has nothing to move", func(t *testing.T, e env) {
			_, err := e.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(e.arn(t, e.queue(t, nil)))})
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"a task for a queue that is not there is refused", func(t *testing.T, e env) {
			_, err := e.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String("arn:aws:sqs:us-east-1:000000000000:" + uniqueName())})
			refusedAs[*types.ResourceNotFoundException](t, err)
		}},
	}
}
