package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pushpull/test/harness"
)

// judge waits until everything arrived, and compares what was planned, what the
// inbox got and what the ledger says.
func judge(ctx context.Context, p *plan, pr *provider, in *inbox, s *harness.Stack, k *killer, started time.Time) error {
	if err := settle(ctx, p, in, s); err != nil {
		return errors.Join(err, missing(p, in))
	}
	fmt.Printf("chaos: all arrived %s after the first was pushed\n", time.Since(started).Round(time.Millisecond))

	v := verdict{plan: p, kills: k.kills, repeats: make([]int, len(k.kills))}
	v.inbox(in)
	if err := v.ledger(ctx, s); err != nil {
		return err
	}
	fmt.Printf(`  planned              %6d   pushed twice %d, never pushed %d
  acknowledged         %6d   refused or cut off, and tried again: %d
  delivered            %6d   bytes equal, signatures good
  repeated by a kill   %6d   under the same identity, of %d kills
  lost                 %6d
  in the ledger        %6d   delivered; found by the poll only: %d; duplicates dropped: %d
  requests of the poll %6d
`, len(p.items), p.count(func(it item) bool { return it.twice }), p.count(func(it item) bool { return it.lost }),
		pr.sent.Load(), pr.refused.Load(), v.delivered, v.repeated, len(k.kills), v.lost, v.recorded, v.polled, v.duplicates, pr.requests.Load())
	return errors.Join(v.wrong...)
}

// settle waits until every event arrived and the ledger shows none under way.
func settle(ctx context.Context, p *plan, in *inbox, s *harness.Stack) error {
	deadline := time.Now().Add(4 * time.Minute)
	for last := -1; ; {
		n := in.distinct()
		if n >= len(p.items) {
			under, err := s.Command(ctx, "events", "--json", "--limit", "1", "--status", "claimed")
			if err != nil {
				return err
			}
			waiting, err := s.Command(ctx, "events", "--json", "--limit", "1", "--status", "waiting")
			if err != nil {
				return err
			}
			if len(under)+len(waiting) == 0 {
				return nil
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("only %d of %d events arrived in time, or some are still claimed", n, len(p.items))
		}
		if n != last {
			last, deadline = n, time.Now().Add(2*time.Minute) // as long as something arrives
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func missing(p *plan, in *inbox) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	var errs []error
	for _, it := range p.items {
		if len(in.came[name(it.source)+"/"+it.id]) == 0 && len(errs) < 10 {
			errs = append(errs, fmt.Errorf("not delivered: %s/%s (lost by push: %v)", name(it.source), it.id, it.lost))
		}
	}
	return errors.Join(errs...)
}

type verdict struct {
	plan    *plan
	kills   []kill
	repeats []int // deliveries that each kill repeated

	delivered, repeated, lost    int
	recorded, polled, duplicates int
	wrong                        []error
}

func (v *verdict) fault(format string, args ...any) {
	if len(v.wrong) < 20 {
		v.wrong = append(v.wrong, fmt.Errorf(format, args...))
	}
}

// inbox checks that what arrived is what was planned, once, or again after a kill.
func (v *verdict) inbox(in *inbox) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.forged > 0 {
		v.fault("%d deliveries had a wrong signature", in.forged)
	}
	planned := map[string]bool{}
	for _, it := range v.plan.items {
		key := name(it.source) + "/" + it.id
		planned[key] = true
		came := in.came[key]
		switch {
		case len(came) == 0:
			v.lost++
			v.fault("%s was never delivered", key)
			continue
		case !bytes.Equal(in.bodies[key], it.body):
			v.fault("%s arrived with other bytes", key)
		}
		v.delivered++
		for _, at := range came[:len(came)-1] {
			v.repeated++
			if !v.killedAfter(at) {
				v.fault("%s was delivered at %s and again, with no kill between delivering and recording it", key, at.Format(time.StampMilli))
			}
		}
	}
	for key := range in.came {
		if !planned[key] {
			v.fault("%s was delivered but never sent", key)
		}
	}
}

// killedAfter finds the kill that a repeat is due to, and charges it to it.
func (v *verdict) killedAfter(delivery time.Time) bool {
	for i, k := range v.kills {
		if k.explains(delivery) && v.repeats[i] < k.bound() {
			v.repeats[i]++
			return true
		}
	}
	return false
}

// ledger checks that the ledger says the same.
func (v *verdict) ledger(ctx context.Context, s *harness.Stack) error {
	out, err := s.Command(ctx, "events", "--json", "--limit", "0", "--since", "24h")
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r struct {
			ID, Source, Status, Transport string
			Duplicates                    map[string]int
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("`pushpull events --json` printed %q: %w", lines.Text(), err)
		}
		if r.Status != "delivered" {
			v.fault("the ledger has %s/%s as %s", r.Source, r.ID, r.Status)
		}
		if seen[r.Source+"/"+r.ID] {
			v.fault("the ledger lists %s/%s twice", r.Source, r.ID)
		}
		seen[r.Source+"/"+r.ID] = true
		if r.Transport == "poll" {
			v.polled++
		}
		for _, n := range r.Duplicates {
			v.duplicates += n
		}
	}
	v.recorded = len(seen)
	for _, it := range v.plan.items {
		if !seen[name(it.source)+"/"+it.id] {
			v.fault("the ledger does not have %s/%s", name(it.source), it.id)
		}
	}
	return lines.Err()
}
