package main

import (
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	"pushpull/shared/queue"
)

// onlyTo is the one destination that a message is for; "" where it is for all.
func onlyTo(m events.SQSMessage) string {
	if a, ok := m.MessageAttributes[queue.AttributeTo]; ok && a.StringValue != nil {
		return *a.StringValue
	}
	return ""
}

// leadsTo tells whether a delivery is what a person means by a destination.
func (t target) leadsTo(to string) bool { return to == "" || t.destination == to || t.name == to }

// narrow leaves of the deliveries those that the message is for. A replay has no
// others. Of a redriven letter the others stay failed, so that a letter is left of them.
func narrow(w *work, targets []target) []target {
	to := onlyTo(w.message)
	narrowed := make([]target, 0, len(targets))
	for _, t := range targets {
		if !t.leadsTo(to) {
			if w.event.Replay != "" {
				continue
			}
			t.spared = true
		}
		narrowed = append(narrowed, t)
	}
	return narrowed
}

// spare is the outcome of a delivery that a redriven letter is not for.
func spare(w *work, t target) outcome {
	err := errors.New("it was not redriven")
	if last, ok := w.claim.Last(t.name); ok && last.Error != "" {
		err = lastError(last)
	}
	return outcome{destination: t.name, err: err, final: true}
}

// nowhere is why an event with these deliveries is for nobody; "" where it is for somebody.
func nowhere(w *work, filtered string, targets []target) string {
	if filtered == "" && len(targets) == 0 {
		return fmt.Sprintf("no route leads it to %s", onlyTo(w.message))
	}
	return filtered
}
