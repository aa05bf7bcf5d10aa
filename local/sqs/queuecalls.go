package sqs

import (
	"context"
	"maps"
	"unicode/utf8"
)

// The operations on queues.

func (s *Server) createQueue(_ context.Context, c call, in *createQueueRequest) (any, error) {
	if in.QueueName == "" {
		return nil, errMissing("QueueName")
	}
	if err := checkTags(in.Tags, 0); err != nil {
		return nil, err
	}
	if err := s.create(in.QueueName, in.Attributes, in.Tags); err != nil {
		return nil, err
	}
	return queueURLAnswer{s.url(c.host, in.QueueName)}, nil
}

func (s *Server) deleteQueue(_ context.Context, _ call, in *queueRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	return nothing{}, s.DeleteQueue(q.name)
}

func (s *Server) purgeQueue(_ context.Context, _ call, in *queueRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	return nothing{}, s.PurgeQueue(q.name)
}

func (s *Server) getQueueURL(_ context.Context, c call, in *getQueueURLRequest) (any, error) {
	if in.QueueName == "" {
		return nil, errMissing("QueueName")
	}
	foreign := in.QueueOwnerAWSAccountID != "" && in.QueueOwnerAWSAccountID != s.account
	if foreign || s.queue(in.QueueName) == nil {
		return nil, errNoQueue()
	}
	return queueURLAnswer{s.url(c.host, in.QueueName)}, nil
}

const maxResults = 1000

// pageSize is how many results an answer has, and whether the caller asked for
// pages: without that, AWS gives no token.
func pageSize(n *int) (size int, paged bool, err *Error) {
	if n == nil {
		return maxResults, false, nil
	}
	if *n < 1 || *n > maxResults {
		return 0, false, errValue(*n, "MaxResults", "Must be between 1 and %d.", maxResults)
	}
	return *n, true, nil
}

func (s *Server) listQueues(_ context.Context, c call, in *listQueuesRequest) (any, error) {
	size, paged, refused := pageSize(in.MaxResults)
	if refused != nil {
		return nil, refused
	}
	names, next := page(s.Queues(), in.QueueNamePrefix, in.NextToken, size)
	if !paged {
		next = ""
	}
	return listQueuesAnswer{QueueURLs: s.urls(c.host, names), NextToken: next}, nil
}

func (s *Server) urls(host string, names []string) []string {
	urls := make([]string, len(names))
	for i, name := range names {
		urls[i] = s.url(host, name)
	}
	return urls
}

func (s *Server) listDeadLetterSourceQueues(_ context.Context, c call, in *deadLetterSourcesRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	size, paged, refused := pageSize(in.MaxResults)
	if refused != nil {
		return nil, refused
	}
	names, next := page(s.deadLetterSources(s.arn(q.name)), "", in.NextToken, size)
	if !paged {
		next = ""
	}
	return deadLetterSourcesAnswer{QueueURLs: s.urls(c.host, names), NextToken: next}, nil
}

func (s *Server) getQueueAttributes(_ context.Context, _ call, in *getAttributesRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	values, refused := q.describe(in.AttributeNames, s.now())
	if refused != nil {
		return nil, refused
	}
	return attributesAnswer{values}, nil
}

func (s *Server) setQueueAttributes(_ context.Context, _ call, in *setAttributesRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if len(in.Attributes) == 0 {
		return nil, errMissing("Attributes")
	}
	for name := range in.Attributes {
		if attributeRules[name].creation {
			return nil, errAttributeName(name)
		}
	}
	return nothing{}, q.setAttributes(in.Attributes)
}

func checkTags(tags map[string]string, already int) *Error {
	if len(tags)+already > maxTags {
		return errParameter("A queue can have at most %d tags.", maxTags)
	}
	for key, value := range tags {
		if n := utf8.RuneCountInString(key); n < 1 || n > 128 {
			return errParameter("Tag keys must be between 1 and 128 characters in length.")
		}
		if utf8.RuneCountInString(value) > 256 {
			return errParameter("Tag values must be between 0 and 256 characters in length.")
		}
	}
	return nil
}

func (s *Server) tagQueue(_ context.Context, _ call, in *tagRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, errMissing("Tags")
	}
	merged := q.tags()
	maps.Copy(merged, in.Tags)
	if err := checkTags(merged, 0); err != nil {
		return nil, err
	}
	return nothing{}, q.update(func(rec *queueRecord) {
		if rec.Tags == nil {
			rec.Tags = map[string]string{}
		}
		maps.Copy(rec.Tags, in.Tags)
	}, func() {})
}

func (s *Server) untagQueue(_ context.Context, _ call, in *untagRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if len(in.TagKeys) == 0 {
		return nil, errMissing("TagKeys")
	}
	return nothing{}, q.update(func(rec *queueRecord) {
		for _, key := range in.TagKeys {
			delete(rec.Tags, key)
		}
	}, func() {})
}

func (s *Server) listQueueTags(_ context.Context, _ call, in *queueRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	return tagsAnswer{q.tags()}, nil
}

// tags is a copy of the queue's tags, never nil.
func (q *queue) tags() map[string]string {
	q.mu.Lock()
	defer q.mu.Unlock()
	tags := map[string]string{}
	maps.Copy(tags, q.record.Tags)
	return tags
}
