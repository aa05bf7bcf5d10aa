package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pushpull/local/keyring"
	"pushpull/shared/config"
	"pushpull/shared/config/load"
	"pushpull/shared/webhook"
)

// ErrConfig is returned for a configuration with mistakes; its text has each at its line.
var ErrConfig = errors.New("the configuration has mistakes")

// compileConfig reads the YAML of dir and what the sandbox adds, and writes
// <out>/compiled.txt. On error the file is as it was.
func compileConfig(dir, out string, extra []load.File) (config.Config, []load.Problem, error) {
	files, err := load.ReadDir(dir)
	if err != nil {
		return config.Config{}, nil, fmt.Errorf("%w: say where the configuration is with --config", err)
	}
	files = append(files, extra...)
	cfg, problems := load.Load(files)
	if wrong := load.Errors(problems); len(wrong) > 0 {
		lines := make([]string, len(wrong))
		for i, p := range wrong {
			lines[i] = p.String()
		}
		return cfg, problems, fmt.Errorf("%w:\n%s", ErrConfig, strings.Join(lines, "\n"))
	}
	text, err := load.Compile(cfg, files)
	if err != nil {
		return cfg, problems, fmt.Errorf("compile the configuration: %w", err)
	}
	if err := os.MkdirAll(out, 0o750); err != nil {
		return cfg, problems, fmt.Errorf("write the compiled configuration: %w", err)
	}
	return cfg, problems, replaceFile(filepath.Join(out, config.CompiledFile), []byte(text))
}

// references are all references to secrets in a configuration.
func references(cfg config.Config) []string {
	var out []string
	for _, r := range cfg.Routes {
		if r.Privacy != nil {
			out = append(out, r.Privacy.Key...)
		}
	}
	for _, s := range cfg.Sources {
		if s.Privacy != nil {
			out = append(out, s.Privacy.Key...)
		}
		if s.Webhook != nil {
			out = append(out, s.Webhook.Secret...)
			out = append(out, s.Webhook.VerifyToken...)
			if h := s.Webhook.Hydrate; h != nil {
				out = append(out, h.Token...)
				for _, refs := range h.Secrets {
					out = append(out, refs...)
				}
			}
		}
		if s.Webhook != nil && s.Webhook.Auth != nil {
			out = append(out, webhook.References(*s.Webhook.Auth)...)
		}
		for _, p := range s.Poll {
			out = append(out, p.Token...)
			for _, refs := range p.Secrets {
				out = append(out, refs...)
			}
		}
	}
	for _, d := range cfg.Destinations {
		out = append(out, d.Sign...)
		for _, value := range d.Headers {
			if scheme, _, ok := strings.Cut(value, ":"); ok && (scheme == "ssm" || scheme == "secretsmanager" || scheme == "env") {
				out = append(out, value)
			}
		}
	}
	return out
}

// ensureSecrets makes up what has no value yet, each so that its scheme can use
// it; but not what a provider will hand over.
func (s *Stack) ensureSecrets() error {
	wanted, kept := keyring.Wanted(s.config), keyring.Kept(s.config)
	refs := slices.DeleteFunc(references(s.config), func(ref string) bool { return kept[ref] })
	_, err := s.secrets.Ensure(refs, func(ref string) (string, error) {
		auth, ok := wanted[ref]
		if !ok {
			auth = config.Auth{Scheme: "hmac", Key: config.Key{Prefix: "whsec_", Encoding: "base64"}} // good for Standard Webhooks
		}
		return s.keys.NewSecret(ref, auth)
	})
	return err
}
