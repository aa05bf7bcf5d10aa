package load

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"pushpull/shared/config"
)

// mostGather is the longest that an event may wait for company: the function is
// paid for while it waits.
const mostGather = config.Duration(10 * time.Second)

// checkAWSDestination checks what names the thing in AWS, and what is its own.
func (l *loader) checkAWSDestination(t thing, d config.Destination) {
	switch d.Kind {
	case "eventbridge":
		l.checkARN(t, "bus", d.Bus, "events", "the name or ARN of the event bus, or default")
	case "sqs":
		l.checkQueue(t, d.Queue)
	case "sns":
		l.checkARN(t, "topic", d.Topic, "sns", "the topic's ARN, arn:aws:sns:<region>:<account>:<name>")
		if d.Topic != "" && !strings.HasPrefix(d.Topic, "arn:") {
			l.problem(t, []string{"topic"}, "a name is no ARN, and SNS takes nothing else", "write arn:aws:sns:<region>:<account>:"+d.Topic)
		}
	case "kinesis":
		l.checkARN(t, "stream", d.Stream, "kinesis", "the name or ARN of the stream")
	case "firehose":
		l.checkARN(t, "stream", d.Stream, "firehose", "the name of the stream")
		if strings.HasPrefix(d.Stream, "arn:") {
			l.problem(t, []string{"stream"}, "Firehose takes no ARN", "write the name alone, what follows deliverystream/")
		}
	case "lambda":
		l.checkARN(t, "function", d.Function, "lambda", "the name or ARN of the function")
	case "s3":
		l.checkS3(t, d)
	}
	if d.Batch != nil && d.Batch.Wait > mostGather {
		l.problem(t, []string{"batch", "wait"}, fmt.Sprintf("events wait %s for company while the function is paid for", d.Batch.Wait), "at most 10s")
	}
}

// checkARN: there is a name, and an ARN is one of the service.
func (l *loader) checkARN(t thing, key, value, service, what string) {
	if value == "" {
		l.missing(t, []string{key}, what)
		return
	}
	if parts := strings.Split(value, ":"); parts[0] == "arn" && (len(parts) < 6 || parts[2] != service) {
		l.problem(t, []string{key}, "not an ARN of "+service, "write "+what)
	}
}

func (l *loader) checkQueue(t thing, queue string) {
	const like = "https://sqs.<region>.amazonaws.com/<account>/<name>"
	if queue == "" {
		l.missing(t, []string{"queue"}, "the queue's URL, "+like)
		return
	}
	if u, err := url.Parse(queue); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") == "" {
		l.problem(t, []string{"queue"}, "not the URL of a queue", "write "+like)
	}
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func (l *loader) checkS3(t thing, d config.Destination) {
	switch {
	case d.Bucket == "":
		l.missing(t, []string{"bucket"}, "the name of the bucket")
	case !bucketName.MatchString(d.Bucket):
		l.problem(t, []string{"bucket"}, fmt.Sprintf("%q is no name of a bucket", d.Bucket), "3 to 63 small letters, digits, dots and hyphens, without s3://")
	}
	names := l.placeholders(t, []string{"prefix"}, d.Prefix)
	for _, name := range names {
		if known := []string{"source", "type", "yyyy", "mm", "dd", "hh"}; !slices.Contains(known, name) {
			l.problem(t, []string{"prefix"}, fmt.Sprintf("nothing is called {%s}", name), "{source}, {type}, {yyyy}, {mm}, {dd} and {hh} are there")
		}
	}
	if d.Format == "json" {
		l.problem(t, []string{"format"}, "an object is no JSON array", "ndjson or parquet")
	}
}
