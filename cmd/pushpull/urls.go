package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pushpull/shared/config"
	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

func urlsCommand() *cobra.Command {
	var base, dir string
	c := &cobra.Command{
		Use:   "urls [SOURCE]",
		Short: "for each source: the URL, the secret's place, and what to type at the provider",
		Example: `  pushpull urls
  pushpull urls github --base https://abc123.execute-api.eu-central-1.amazonaws.com`,
		ValidArgsFunction: completeSources,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(c, "%q is one argument too many", args[1])
			}
			return urls(c, dir, base, args)
		},
	}
	c.Flags().StringVar(&base, "base", "", "where the receiver is reached: ReceiverURL of the deployed stack (default: this machine)")
	c.Flags().StringVar(&dir, "config", "config", "the folder of the configuration")
	return c
}

// A setUp is what is to be done for one source.
type setUp struct {
	Source        string   `json:"source"`
	Provider      string   `json:"provider,omitempty"`
	URL           string   `json:"url,omitempty"`
	Secret        []string `json:"secret,omitempty"`
	VerifyToken   []string `json:"verify_token,omitempty"`
	HydrateToken  []string `json:"hydrate_token,omitempty"`
	Expects       string   `json:"expects,omitempty"`
	Within        string   `json:"within,omitempty"`
	Warnings      []string `json:"warnings,omitempty"`
	Note          string   `json:"note,omitempty"`
	Steps         []string `json:"steps,omitempty"`
	PollToken     []string `json:"poll_token,omitempty"`
	PollSteps     []string `json:"poll_steps,omitempty"`
	Authenticated bool     `json:"authenticated"`
}

func urls(c *cobra.Command, dir, base string, only []string) error {
	if base == "" {
		base = "http://127.0.0.1:8080"
		if conn, err := connect(c); err == nil {
			base = conn.address.Gateway
		}
	}
	if u, err := url.Parse(base); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return usage(c, "--base: %q is not a URL such as https://hooks.example.com", base)
	}
	cfg, err := loadConfig(c, dir)
	if err != nil {
		return err
	}
	names := sortedNames(cfg.Sources)
	if len(only) == 1 {
		if !slices.Contains(names, only[0]) {
			return unknownSource(c, only[0], names)
		}
		names = only
	}
	for i, name := range names {
		s, err := setUpOf(name, cfg.Sources[name], strings.TrimRight(base, "/"))
		if err != nil {
			return err
		}
		if asJSON(c) {
			if err := printJSON(c.OutOrStdout(), s); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(c.OutOrStdout())
		}
		printSetUp(c.OutOrStdout(), s)
	}
	return nil
}

func setUpOf(name string, s config.Source, base string) (setUp, error) {
	out := setUp{Source: name}
	if w := s.Webhook; w != nil {
		out.Provider, out.URL, out.Secret = w.Provider, base+"/webhooks/"+name, w.Secret
		if w.URL != "" {
			out.URL = w.URL
		}
		out.VerifyToken = w.VerifyToken
		out.Authenticated = w.Auth != nil && w.Auth.Scheme != "none"
		out.Warnings, out.Note = warnings(name, *w), unsignedNote(*w)
		if w.Hydrate != nil {
			out.HydrateToken = slices.Clone(w.Hydrate.Token)
			for _, name := range slices.Sorted(maps.Keys(w.Hydrate.Secrets)) {
				out.HydrateToken = append(out.HydrateToken, w.Hydrate.Secrets[name]...)
			}
		}
	}
	for _, p := range s.Poll {
		out.Provider = firstNonEmpty(out.Provider, p.Provider)
		for _, ref := range p.Token {
			if !slices.Contains(out.PollToken, ref) {
				out.PollToken = append(out.PollToken, ref)
			}
		}
	}
	if out.Provider == "" {
		return out, nil
	}
	preset, err := provider.Load(out.Provider)
	if err != nil && !errors.Is(err, provider.ErrUnknown) {
		return setUp{}, err
	}
	if out.URL != "" {
		out.Steps = fill(preset.Setup, out.URL, out.Secret, out.VerifyToken)
		out.Expects = preset.Answer.Expects
		if preset.Answer.Within > 0 {
			out.Within = preset.Answer.Within.String()
		}
	}
	if len(s.Poll) > 0 && preset.Poll != nil {
		out.PollSteps = fill(preset.Poll.Setup, out.URL, out.PollToken, nil)
	}
	return out, nil
}

// warnings are what a person should know before the provider is told the URL.
func warnings(source string, w config.Webhook) []string {
	offer := ""
	if says := provider.HydrateOf(w.Provider, source); w.Hydrate == nil && says != "" {
		offer = "add " + says + " to the webhook to fetch it from the API instead"
	}
	if w.Auth == nil || w.Auth.Scheme == "none" {
		warning := "anyone who knows this URL is believed: its scheme is none"
		if offer != "" {
			warning += "; " + offer
		}
		return []string{warning}
	}
	var said []string
	if webhook.ForAnyCustomer(w) {
		said = append(said, "the key signs for every customer of the provider, and nothing says whose an event is: say in webhook.require what only yours say")
	}
	v, err := webhook.Compile(*w.Auth)
	if err != nil || v.Covers(w.ReadField()) || w.Hydrate != nil {
		return said
	}
	if offer == "" {
		offer = "believe no more of an event than its id, and fetch the rest from the provider's API: say how in webhook.hydrate"
	}
	return append(said, "the provider does not sign the body: "+offer)
}

// fill puts the source's own URL and the places of its secrets into a preset's steps.
func fill(steps []string, url string, secrets, verifyToken []string) []string {
	values := strings.NewReplacer("{url}", url, "{secret}", strings.Join(secrets, " or "), "{verify_token}", strings.Join(verifyToken, " or "))
	filled := make([]string, len(steps))
	for i, step := range steps {
		filled[i] = values.Replace(step)
	}
	return filled
}

func firstNonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func printSetUp(w io.Writer, s setUp) {
	fmt.Fprintln(w, strings.TrimSuffix(s.Source+"  "+s.Provider, "  "))
	if s.URL != "" {
		fmt.Fprintf(w, "  webhook  %s\n", s.URL)
		for _, warning := range s.Warnings {
			fmt.Fprintf(w, "           %s\n", warning)
		}
		if s.Note != "" {
			fmt.Fprintf(w, "  note     %s\n", s.Note)
		}
	}
	printSecret(w, "secret", s.Secret)
	printSecret(w, "verify", s.VerifyToken)
	printSecret(w, "hydrate", s.HydrateToken)
	if s.Expects != "" {
		fmt.Fprintf(w, "  answer   %s", s.Expects)
		if s.Within != "" {
			fmt.Fprintf(w, ", within %s", s.Within)
		}
		fmt.Fprintln(w)
	}
	printSteps(w, s.Steps)
	if s.PollToken != nil || s.PollSteps != nil {
		printSecret(w, "token", s.PollToken)
		printSteps(w, s.PollSteps)
	}
}

// printSecret says where a secret is kept and how it gets there.
func printSecret(w io.Writer, what string, refs []string) {
	for _, ref := range refs {
		fmt.Fprintf(w, "  %-8s %s\n", what, ref)
		kind, id, _ := strings.Cut(ref, ":")
		switch kind {
		case "ssm":
			fmt.Fprintf(w, "           deployed: aws ssm put-parameter --type SecureString --name %s --value …\n", id)
		case "secretsmanager":
			id, _, _ = strings.Cut(id, "#")
			fmt.Fprintf(w, "           deployed: aws secretsmanager create-secret --name %s --secret-string …\n", id)
		case "env":
			fmt.Fprintf(w, "           deployed: the functions' environment variable %s\n", id)
			continue
		}
		fmt.Fprintf(w, "           on this machine: the line of that name in .pushpull/secrets.yaml\n")
	}
}

func printSteps(w io.Writer, steps []string) {
	for i, step := range steps {
		fmt.Fprintf(w, "  %d. %s\n", i+1, step)
	}
}
