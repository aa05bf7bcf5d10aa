package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/webhook"
)

// unsignedNote says which values the identity and the type of a source's events
// come from though the provider does not sign them; "" where it signs them all.
func unsignedNote(w config.Webhook) string {
	if w.Auth == nil || w.Event == nil {
		return ""
	}
	v, err := webhook.Compile(*w.Auth)
	if err != nil {
		return "" // which check says
	}
	names := map[string]bool{}
	for _, choice := range slices.Concat(w.Event.Identity, w.Event.Type) {
		parts, err := event.ParseTemplate(choice.Value)
		if err != nil {
			return "" // as above
		}
		for _, part := range parts {
			name, _, _ := strings.Cut(part.Placeholder, "|")
			inHead := strings.HasPrefix(name, "header.") || strings.HasPrefix(name, "query.")
			if inHead && !strings.EqualFold(name, gatewayTrace) && !v.Signs(name) {
				names[name] = true
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "identity or type come from " + strings.Join(slices.Sorted(maps.Keys(names)), ", ") +
		", which the provider does not sign: who could alter a request on its way could make a second event of it, or give it another type; TLS keeps them from it"
}

// gatewayTrace is the gateway's own: nobody else writes it.
const gatewayTrace = "header.X-Amzn-Trace-Id"

// printNotes says of each source what is no mistake of the configuration.
func printNotes(w io.Writer, cfg config.Config) {
	for _, name := range sortedNames(cfg.Sources) {
		if hook := cfg.Sources[name].Webhook; hook != nil {
			if note := unsignedNote(*hook); note != "" {
				fmt.Fprintf(w, "note: sources.%s: %s\n", name, note)
			}
		}
	}
}
