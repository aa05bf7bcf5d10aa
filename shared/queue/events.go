package queue

import (
	"context"
	"errors"
	"fmt"

	"pushpull/shared/event"
)

// SendEvents encodes and sends events, each in the message group of its source; on
// a FIFO queue in that of its entity, which is what is kept in order.
// The data of an event over the queue's limit are put into the claim check first.
// The error is a *RefusedError; the events that it does not list were taken.
func (q *Queue) SendEvents(ctx context.Context, events ...event.Event) error {
	refused := &RefusedError{Queue: name(q.url), Total: len(events)}
	messages := make([]Message, 0, len(events))
	origin := make([]int, 0, len(events)) // of each message: the index of its event
	for i, e := range events {
		body, failure, err := q.encode(ctx, e)
		if failure != nil {
			failure.Index = i
			refused.add(err, *failure)
			continue
		}
		m := Message{Body: body, Group: q.group(e)}
		if q.only != "" {
			m.Attributes = map[string]string{AttributeTo: q.only}
		}
		messages = append(messages, m)
		origin = append(origin, i)
	}
	if err := q.Send(ctx, messages...); err != nil {
		sent, ok := errors.AsType[*RefusedError](err)
		if !ok {
			return err
		}
		for _, f := range sent.Failures {
			f.Index = origin[f.Index]
			refused.add(sent.Err, f)
		}
	}
	if len(refused.Failures) > 0 {
		return refused
	}
	return nil
}

func (q *Queue) group(e event.Event) string {
	switch {
	case !q.fifo:
		return e.Source
	case e.Subject == "":
		return e.Source + "//" + e.ID // an event about nothing is in order with no other
	}
	return e.Source + "/" + e.Subject
}

// encode returns the message body of an event, its data in the claim check where
// they are too large for the queue.
func (q *Queue) encode(ctx context.Context, e event.Event) (string, *Failure, error) {
	if e.Data != nil {
		e.DataRef = "" // that they were in the claim check once does not say they still are
	}
	if len(e.Data) <= eventBytes { // else there is no need to try
		body, err := event.Encode(e)
		if err != nil {
			return "", refusal("InvalidEvent", err.Error()), err
		}
		if len(body) <= eventBytes {
			return string(body), nil, nil
		}
	}
	if q.bodies == nil {
		return "", refusal("MessageTooLong", "the event is too large for the queue, and there is no claim check: set BODIES"), nil
	}
	ref, err := q.bodies.Put(ctx, e.Source, e.Data)
	if err != nil {
		err = fmt.Errorf("put the data into the claim check: %w", err)
		return "", &Failure{Code: "ClaimCheck", Message: err.Error()}, err
	}
	e.Data, e.DataRef = nil, ref
	body, err := event.Encode(e)
	if err != nil {
		return "", refusal("InvalidEvent", err.Error()), err
	}
	return string(body), nil, nil
}

// Open returns the event with its data, from the claim check where they are
// there. DataRef stays, so that who keeps the event need not keep large data twice.
func Open(ctx context.Context, e event.Event, bodies Bodies) (event.Event, error) {
	if e.DataRef == "" || e.Data != nil {
		return e, nil
	}
	if bodies == nil {
		return event.Event{}, fmt.Errorf("open %s: its data are in the claim check, and there is none: set BODIES", e.Key())
	}
	data, err := bodies.Get(ctx, e.DataRef)
	if err != nil {
		return event.Event{}, fmt.Errorf("open %s: %w", e.Key(), err)
	}
	e.Data = data
	return e, nil
}

// Decode reads the body of a message that SendEvents sent, and opens the event.
func Decode(ctx context.Context, body string, bodies Bodies) (event.Event, error) {
	e, err := event.Decode([]byte(body))
	if err != nil {
		return event.Event{}, err
	}
	return Open(ctx, e, bodies)
}
