package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pushpull/local/keyring"
	"pushpull/shared/config"
	"pushpull/shared/config/load"
	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

// manySources is how many sources the large configuration has: one for every
// preset, and the rest GitHub's.
const manySources = 500

// ownSources are of no preset.
var ownSources = map[string]string{
	// A provider that sends several events at once, in an array.
	"batch": `{ secret: ` + secretOf("batch") + `, auth: { scheme: hmac, signature: { header: X-Signature } }, body: { each: [events] }, event: { identity: "{body.id}", type: "{body.type}", time: "{body.created_at}", entity: "{body.customer}" } }`,
	// A provider whose forms and documents are to be made JSON, which is what costs most.
	"convert": `{ secret: ` + secretOf("convert") + `, auth: { scheme: hmac, signature: { header: X-Signature } }, body: { to_json: true }, event: { identity: "{header.X-Id}" } }`,
}

// measuredSources are those that requests are sent to: their secrets are in the environment.
var measuredSources = []string{
	sourceName, "standard-webhooks", "slack", "discord", "sendgrid", "paypal", "vonage", "google-pubsub", "twilio", "batch", "convert",
}

// secretOf is the reference to a source's secret.
func secretOf(source string) string {
	switch {
	case source == sourceName:
		return "env:" + secretName
	case slices.Contains(measuredSources, source):
		return "env:BENCH_" + strings.ToUpper(strings.ReplaceAll(source, "-", "_"))
	}
	return "ssm:/pushpull/" + source
}

// fewYAML is a configuration of one source.
func fewYAML() (string, error) { return yamlOf([]string{sourceName}) }

// manyYAML is a configuration of manySources sources.
func manyYAML() (string, error) {
	names := append(presets(), slices.Sorted(maps.Keys(ownSources))...)
	for i := len(names); i < manySources; i++ {
		names = append(names, sourceName+"-"+strconv.Itoa(i))
	}
	return yamlOf(names)
}

// presets are the providers that push.
func presets() []string {
	return slices.DeleteFunc(provider.Names(), func(name string) bool {
		p, err := provider.Load(name)
		return err == nil && p.Webhook == nil
	})
}

// yamlOf is a configuration of these sources; one that is called as no preset is has GitHub's.
func yamlOf(names []string) (string, error) {
	all := presets()
	var text strings.Builder
	text.WriteString("sources:\n")
	for _, name := range names {
		if own, ok := ownSources[name]; ok {
			fmt.Fprintf(&text, "  %s: { webhook: %s }\n", name, own)
			continue
		}
		preset := name
		if !slices.Contains(all, name) {
			preset = sourceName
		}
		hook, err := hookYAML(name, preset)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "  %s: { webhook: %s }\n", name, hook)
	}
	text.WriteString("destinations:\n  archive: { kind: file, path: delivered.ndjson }\nroutes:\n  - { from: \"*\", to: archive }\n")
	return text.String(), nil
}

func hookYAML(name, preset string) (string, error) {
	p, err := provider.Load(preset)
	if err != nil {
		return "", err
	}
	if p.Webhook == nil || p.Webhook.Auth == nil {
		return "", fmt.Errorf("preset %s has no webhook", preset)
	}
	hook := "{ provider: " + preset
	if webhook.UsesSecret(*p.Webhook.Auth) {
		hook += ", secret: " + secretOf(name)
	}
	if strings.Contains(strings.Join(p.Setup, " "), "{verify_token}") {
		hook += ", verify_token: ssm:/pushpull/" + name + "-token"
	}
	var with []string
	for _, parameter := range slices.Sorted(maps.Keys(p.Parameters)) {
		with = append(with, parameter+": sample-"+parameter)
	}
	if len(with) > 0 {
		hook += ", with: { " + strings.Join(with, ", ") + " }"
	}
	return hook + " }", nil
}

// A setting is a compiled configuration and what the receiver needs to use it.
type setting struct {
	folder  string // of compiled.txt
	sources map[string]config.Source
	ring    keyring.Ring
	secrets map[string]string // by their references
	size    int64             // of compiled.txt, in bytes

	fromFile bool // the function reads it from the folder, and not from its binary
}

// newSetting compiles a configuration into a folder, and makes the secrets of
// the sources that are measured.
func newSetting(folder, yaml string) (setting, error) {
	s := setting{folder: folder, ring: keyring.New(folder), secrets: map[string]string{}}
	files := []load.File{{Name: "bench.yaml", Data: []byte(yaml)}}
	cfg, problems := load.Load(files)
	var wrong []error
	for _, p := range load.Errors(problems) {
		wrong = append(wrong, errors.New(p.String()))
	}
	if len(wrong) > 0 {
		return s, errors.Join(wrong...)
	}
	text, err := load.Compile(cfg, files)
	if err != nil {
		return s, err
	}
	s.sources, s.size = cfg.Sources, int64(len(text))
	for ref, auth := range keyring.Wanted(cfg) {
		if !strings.HasPrefix(ref, "env:") {
			continue
		}
		if s.secrets[ref], err = s.ring.NewSecret(ref, auth); err != nil {
			return s, err
		}
	}
	s.secrets["env:"+secretName] = secretValue
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return s, err
	}
	return s, os.WriteFile(filepath.Join(folder, config.CompiledFile), []byte(text), 0o600)
}

// environment is what a function finds its keys and secrets by, and, where it is
// not to use the one in its binary, its configuration.
func (s setting) environment() []string {
	env := []string{"PUSHPULL_KEYS=" + s.ring.Folder()}
	if s.fromFile {
		env = append(env, "PUSHPULL_CONFIG="+s.folder)
	}
	for _, ref := range slices.Sorted(maps.Keys(s.secrets)) {
		env = append(env, strings.TrimPrefix(ref, "env:")+"="+s.secrets[ref])
	}
	return env
}
