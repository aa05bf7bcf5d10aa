// Command report prints what the SDKs and the engine made of each other, as a
// table, and ends with what passed. It fails if anything did not pass.
//
//	report RESULTS          reads lines of JSON, and sorts them in place
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"pushpull/shared/provider"
)

// A result is what one SDK and one preset made of each other.
type result struct {
	Preset      string `json:"preset"`
	SDK         string `json:"sdk"` // package@version
	Language    string `json:"language"`
	About       string `json:"about,omitempty"` // which part of the preset, where one SDK has several cases
	SDKSigns    bool   `json:"sdk_signs"`
	SDKVerifies bool   `json:"sdk_verifies"`
	Passed      int    `json:"passed"`
	Failed      int    `json:"failed"`
	// Checks are sentences.
	Checks   []string  `json:"checks"`
	Failures []failure `json:"failures,omitempty"`
}

type failure struct {
	Check string `json:"check"`
	Error string `json:"error"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: report RESULTS")
		os.Exit(2)
	}
	failed, err := run(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
	}
	if err != nil || failed > 0 {
		os.Exit(1)
	}
}

func run(file string) (failed int, err error) {
	results, err := read(file)
	if err != nil {
		return 0, err
	}
	slices.SortStableFunc(results, func(a, b result) int {
		return cmp.Or(cmp.Compare(a.Preset, b.Preset), cmp.Compare(a.Language, b.Language), cmp.Compare(a.SDK, b.SDK), cmp.Compare(a.About, b.About))
	})
	if err := write(file, results); err != nil {
		return 0, err
	}
	passed, failed := table(results)
	for _, r := range results {
		for _, f := range r.Failures {
			fmt.Printf("FAILED %s, %s: %s: %s\n", r.Preset, r.SDK, f.Check, f.Error)
		}
	}
	presets, sdks, providers := count(results)
	fmt.Printf("%d providers, %d presets, %d SDKs\n", providers, presets, sdks)
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if passed == 0 {
		return failed, errors.New("no check passed: there is nothing to report")
	}
	return failed, nil
}

func read(file string) ([]result, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var results []result
	for i, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		var r result
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&r); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
		results = append(results, r)
	}
	return results, nil
}

func write(file string, results []result) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	for _, r := range results {
		if err := e.Encode(r); err != nil {
			return err
		}
	}
	return os.WriteFile(file, text.Bytes(), 0o644)
}

func table(results []result) (passed, failed int) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "provider\tpreset\tSDK\tsigns\tverifies\tpassed")
	for _, r := range results {
		passed, failed = passed+r.Passed, failed+r.Failed
		signs, verifies := []string{"engine"}, []string{"engine"}
		if r.SDKSigns {
			signs = append([]string{"SDK"}, signs...)
		}
		if r.SDKVerifies {
			verifies = append(verifies, "SDK")
		}
		preset := r.Preset
		if r.About != "" {
			preset += " (" + r.About + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s, %s\t%s\t%s\t%d of %d\n", title(r.Preset), preset, r.SDK, r.Language,
			strings.Join(signs, ", "), strings.Join(verifies, ", "), r.Passed, r.Passed+r.Failed)
	}
	_ = w.Flush()
	return passed, failed
}

// title is the provider's name, without what stands behind it in brackets.
func title(preset string) string {
	p, err := provider.Load(preset)
	if err != nil {
		return "?"
	}
	name, _, _ := strings.Cut(p.Title, " (")
	return name
}

// count counts as one provider all presets that have an SDK in common.
func count(results []result) (presets, sdks, providers int) {
	group := map[string]string{}
	for _, r := range results {
		group[r.Preset] = r.Preset
	}
	first := map[string]string{}
	for _, r := range results {
		name := r.SDK[:strings.LastIndex(r.SDK, "@")]
		other, seen := first[name+" "+r.Language]
		if !seen {
			first[name+" "+r.Language] = r.Preset
			continue
		}
		from, to := group[r.Preset], group[other]
		for preset, g := range group {
			if g == from {
				group[preset] = to
			}
		}
	}
	leaders := map[string]bool{}
	for _, g := range group {
		leaders[g] = true
	}
	return len(group), len(first), len(leaders)
}
