package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"pushpull/test/harness"
)

// together loses webhooks, repeats others, and lets a poll heal: once with an
// interval that adapts to what push misses, once with a fixed one.
func together(ctx context.Context) error {
	events, err := number("RECORDS", 10_000)
	if err != nil {
		return err
	}
	seed, err := number("SEED", int(time.Now().UnixNano()%1e6))
	if err != nil {
		return err
	}
	lasts, err := length("GROWING", 5*time.Minute)
	if err != nil {
		return err
	}
	s := newShop(events, lasts, uint64(seed))
	defer s.server.Close()
	in := newInbox()
	defer in.server.Close()
	fmt.Printf("together: %d events in %s, %d webhooks lost, %d repeated, seed %d\n", events, lasts, s.lost, s.twice, seed)
	stack, done, err := startStack(ctx,
		s.config("adaptive", "every: 20s\n      min: 5s\n      max: 80s\n      adapt: misses")+
			s.config("fixed", "every: 5s\n      adapt: none"),
		in, map[string]string{"ssm:/shop/webhook": shopSecret, "ssm:/shop/token": shopToken}, map[string]string{"PollSchedule": "rate(5 seconds)"})
	if err != nil {
		return err
	}
	defer done()
	for s.asked("adaptive") == 0 || s.asked("fixed") == 0 { // of a source that was never read nothing is missed
		if pause(ctx, 200*time.Millisecond); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	pause(ctx, 2*time.Second)
	if err := s.push(ctx, stack.URL, "adaptive", "fixed"); err != nil {
		return err
	}
	asked := map[string]int{"adaptive": s.asked("adaptive"), "fixed": s.asked("fixed")}
	var wrong []error
	fmt.Printf("  %-10s %9s %6s %8s %15s %9s %15s\n", "interval", "delivered", "lost", "repeated", "misses reported", "requests", "mean healing")
	for _, source := range []string{"adaptive", "fixed"} {
		wrong = append(wrong, s.settle(ctx, in, source))
		missed, late, err := misses(ctx, stack, source)
		if err != nil {
			return err
		}
		delivered, repeated, healing := s.delivered(in, source)
		fmt.Printf("  %-10s %9d %6d %8d %15s %9d %15s\n", source, delivered, events-delivered, repeated, fmt.Sprintf("%d of %d", missed-late, s.lost), asked[source], healing.Round(100*time.Millisecond))
		if delivered != events || repeated > 0 {
			wrong = append(wrong, fmt.Errorf("%s: %d of %d events were delivered, %d of them again", source, delivered, events, repeated))
		}
		if missed-late != s.lost {
			wrong = append(wrong, fmt.Errorf("%s: %d misses and %d late webhooks are reported, and %d webhooks were lost", source, missed, late, s.lost))
		}
	}
	return errors.Join(wrong...)
}

// settle waits until all arrived.
func (s *shop) settle(ctx context.Context, in *inbox, source string) error {
	end := time.Now().Add(3 * time.Minute)
	for time.Now().Before(end) && ctx.Err() == nil {
		n := 0
		in.look(source, func(a *arrivals) { n = len(a.data) })
		if n >= len(s.events) {
			pause(ctx, 12*time.Second) // what is too much would come now, and the last poll
			return nil
		}
		pause(ctx, time.Second)
	}
	return errors.Join(fmt.Errorf("%s: not all events arrived in time", source), ctx.Err())
}

// delivered counts what came, and how long after it had happened what was lost.
func (s *shop) delivered(in *inbox, source string) (once, repeated int, healing time.Duration) {
	in.look(source, func(a *arrivals) {
		for _, e := range s.events {
			n := a.times[e.id]
			if n == 0 {
				continue
			}
			once++
			repeated += n - 1
			if at, _ := s.happened(e); e.lost {
				healing += a.at[e.id].Sub(at)
			}
		}
	})
	return once, repeated, healing / time.Duration(max(1, s.lost))
}

// misses is what `pushpull sources` says.
func misses(ctx context.Context, stack *harness.Stack, source string) (missed, late int, err error) {
	out, err := stack.Command(ctx, "sources", source, "--json")
	if err != nil {
		return 0, 0, err
	}
	var view struct {
		Late  int
		Polls []struct{ Status struct{ Missed int } }
	}
	if err := json.NewDecoder(strings.NewReader(string(out))).Decode(&view); err != nil || len(view.Polls) != 1 {
		return 0, 0, fmt.Errorf("`pushpull sources %s --json` printed %.300q: %w", source, out, err)
	}
	return view.Polls[0].Status.Missed, view.Late, nil
}
