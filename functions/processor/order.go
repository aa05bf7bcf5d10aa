package main

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"pushpull/shared/event"
)

// The orders of a source's events.
const (
	orderLatest = "latest"
	orderNone   = "none"
	orderStrict = "strict" // that of the queue
)

// versionKey is what the event's order goes by: "" where it goes by none. Versions
// that are neither numbers nor times say only that something changed, unless the
// source says that they are in order.
func versionKey(e event.Event, order string) string {
	key := event.VersionKey(e.Version)
	switch {
	case e.Subject == "" || key == "" || order == orderNone || order == orderStrict:
		return ""
	case order != orderLatest && key[0] != 'n' && key[0] != 't':
		return ""
	}
	return key
}

// rounds are the events of a batch in the order in which they are processed: of
// each entity one in a round, the newest first. So its older ones are superseded
// without a delivery, and none has to wait for another of its batch. Those of a
// queue that keeps order are in its order.
func rounds(works []*work) [][]*work {
	type entity struct{ source, subject, group string }
	byEntity := map[entity][]*work{}
	all := [][]*work{nil}
	for _, w := range works {
		at := entity{w.event.Source, w.event.Subject, ""}
		if group := groupOf(w.message); group != "" {
			at = entity{group: group}
		} else if w.version == "" {
			all[0] = append(all[0], w)
			continue
		}
		byEntity[at] = append(byEntity[at], w)
	}
	for _, group := range byEntity {
		slices.SortStableFunc(group, func(a, b *work) int { return cmp.Compare(b.version, a.version) })
		for i, w := range group {
			if i == len(all) {
				all = append(all, nil)
			}
			all[i] = append(all[i], w)
		}
	}
	return all
}

// groupOf is the message group of a queue that keeps its order; "" of any other.
func groupOf(m events.SQSMessage) string {
	if !strings.HasSuffix(m.EventSourceARN, ".fifo") {
		return ""
	}
	return m.Attributes["MessageGroupId"]
}

// afterDone are those of a round that may be processed now: of a queue that keeps
// order, none before the one ahead of it is done. The others come back behind it.
func (h *handler) afterDone(ctx context.Context, round, batch []*work) []*work {
	return slices.DeleteFunc(round, func(w *work) bool {
		group := groupOf(w.message)
		if group == "" {
			return false
		}
		ahead := batch[:slices.Index(batch, w)]
		if !slices.ContainsFunc(ahead, func(a *work) bool { return groupOf(a.message) == group && !a.acknowledge }) {
			return false
		}
		h.hide(ctx, w, leastHidden)
		return true
	})
}

func (h *handler) queueOf(m events.SQSMessage) string {
	if groupOf(m) != "" {
		return h.strictURL
	}
	return h.queueURL
}
