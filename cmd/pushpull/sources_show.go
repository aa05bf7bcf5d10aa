package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
)

// printSource prints all that is known of a source.
func printSource(w io.Writer, v sourceView, now time.Time) error {
	p := lines{w: w}
	p.line("source", "%s", v.Source)
	p.line("transports", "%s", strings.Join(v.Transports, ", "))
	p.line("last pushed", "%s", clock(v.LastWebhook, now))
	p.line("last polled", "%s", clock(v.LastPoll, now))
	if v.Late > 0 {
		p.line("late", "%d webhooks came after a poll had counted their events as missed", v.Late)
	}
	for _, one := range v.Polls {
		p.poll(one, now)
	}
	return p.err
}

// lines prints what there is, a name before each.
type lines struct {
	w   io.Writer
	err error
}

func (p *lines) line(name, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if text == "" || p.err != nil {
		return
	}
	_, p.err = fmt.Fprintf(p.w, "%-13s %s\n", name, printable(text))
}

func (p *lines) poll(v pollView, now time.Time) {
	s := v.Status
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w)
	}
	p.line("poll", "%s", s.Key)
	p.line("state", "%s", v.State)
	p.line("stopped", "%s", s.Stopped)
	if s.Error != "" {
		p.line("error", "%s", s.Error)
		p.line("failing since", "%s, %s", clock(s.ErrorSince, now), counted(s.Failures, "failure"))
	}
	every := config.Duration(v.Every).String()
	if s.Every > 0 && s.Every != v.Every {
		every = fmt.Sprintf("%s now, %s as configured", config.Duration(s.Every), every)
	}
	p.line("every", "%s", every)
	p.line("next poll", "%s", nextText(s, now))
	p.line("checkpoint", "%s", checkpointText(s))
	p.line("its age", "%s", ageText(s, v.retention, now))
	if !s.Gap.IsZero() {
		p.line("gap", "history may have been lost at %s: the api no longer had what followed the checkpoint", clock(s.Gap, now))
	}
	if s.Run != nil {
		p.line("run under way", "%s", tallyText(*s.Run, now))
	}
	if !s.Last.Ended.IsZero() {
		p.line("last run", "%s", tallyText(s.Last, now))
	}
	p.line("missed", "%d in 24 hours, %d in all", v.MissedDay, s.Missed)
	if s.Limits != nil {
		p.line("limit", "%s", strings.TrimSpace(limitText(s.Limits)+" as told at "+clock(s.Limits.At, now)))
	}
	p.line("hinted", "%s", clock(s.Hinted, now))
	if len(s.Backfills) > 0 {
		p.line("backfills", "%s: `pushpull backfill list` shows how they go", strings.Join(s.Backfills, ", "))
	}
}

// ageText is how old the checkpoint is, and how old the api lets it become.
func ageText(s checkpoint.Status, retention time.Duration, now time.Time) string {
	if s.Checkpoint.Settled.IsZero() {
		return ""
	}
	age := now.Add(s.Checkpoint.Skew).Sub(s.Checkpoint.Settled).Round(time.Second)
	text := config.Duration(max(age, 0)).String()
	if retention > 0 {
		text += fmt.Sprintf(" of %s that the api keeps", config.Duration(retention))
	}
	return text
}

func tallyText(t checkpoint.Tally, now time.Time) string {
	text := fmt.Sprintf("%s: %s, %d new, %d missed, %s in %s, %s", clock(t.Started, now), counted(t.Records, "record"), t.New, t.Missed,
		counted(t.Pages, "page"), counted(t.Requests, "request"), bytesText(int(t.Bytes)))
	if t.NotModified > 0 {
		text += fmt.Sprintf(", %d not modified", t.NotModified)
	}
	if !t.Ended.IsZero() {
		text += ", took " + t.Ended.Sub(t.Started).Round(time.Millisecond).String()
	}
	return text
}
