package load

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	cause "github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// A flaw is a problem of a file's shape, with where it is in the tree: what is
// there cannot be used, and is left out of what is looked at next.
type flaw struct {
	path    []string
	problem Problem
	meant   string // the key that an unknown one is most like
}

// flaws validates a tree against the schema.
func (s *shape) flaws(file string, tree *node) []flaw {
	var e *jsonschema.ValidationError
	if err := s.compiled.Validate(tree.plain()); !errors.As(err, &e) {
		return nil
	}
	var out []flaw
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		switch e.ErrorKind.(type) {
		case *cause.Schema, *cause.Reference, *cause.Group, *cause.AllOf:
			for _, c := range e.Causes {
				walk(c)
			}
		default:
			out = append(out, s.describe(file, tree, e)...)
		}
	}
	walk(e)
	return once(out)
}

// once keeps one flaw of each place, and none of a missing key that is there
// with a slip in it.
func once(flaws []flaw) []flaw {
	meant, seen := map[string]bool{}, map[string]bool{}
	for _, f := range flaws {
		if f.meant != "" {
			meant[dotted(append(slices.Clone(f.path[:len(f.path)-1]), f.meant))] = true
		}
	}
	// An empty text matches no pattern either.
	slices.SortStableFunc(flaws, func(a, b flaw) int { return -cmp.Compare(btoi(a.problem.What == empty), btoi(b.problem.What == empty)) })
	return slices.DeleteFunc(flaws, func(f flaw) bool {
		path := dotted(f.path)
		again := seen[path] || meant[path]
		seen[path] = true
		return again
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// empty is what is wrong with a text or a list with nothing in it.
const empty = "nothing here"

// describe says in our words what one error of the validator means.
func (s *shape) describe(file string, tree *node, e *jsonschema.ValidationError) []flaw {
	path := slices.Clone(e.InstanceLocation)
	here := func(text, what, mend string) []flaw {
		at := tree.find(path)
		p := Problem{File: file, Line: at.line, Column: at.col, Path: dotted(path), Text: text, What: what, Mend: mend}
		return []flaw{{path: path, problem: p}}
	}
	atKey := func(key, what, mend string) flaw {
		path := append(slices.Clone(path), key)
		at := tree.find(path)
		p := Problem{File: file, Line: at.keyLine, Column: at.keyCol, Path: dotted(path), Text: key, What: what, Mend: mend}
		return flaw{path: path, problem: p}
	}
	value := tree.find(path).value
	switch k := e.ErrorKind.(type) {
	case *cause.AdditionalProperties:
		known := s.keys(e.SchemaURL)
		var out []flaw
		for _, key := range k.Properties {
			f := atKey(key, fmt.Sprintf("unknown key %q", key), didYouMean(key, known))
			f.meant, _ = Nearest(key, known)
			out = append(out, f)
		}
		return out
	case *cause.PropertyNames:
		return nil // Load looks at the names itself: the validator's location of them is not reliable
	case *cause.Required:
		at := tree.find(path)
		p := Problem{
			File: file, Line: at.keyLine, Column: at.keyCol, Path: dotted(path),
			What: "missing " + quoted(k.Missing), Mend: "add it",
		}
		return []flaw{{path: append(path, k.Missing[0]), problem: p}}
	case *cause.Type:
		return here(shown(path, value), fmt.Sprintf("%s where %s is needed", value.kind, wanted(k.Want)), mendType(value, k.Want, s.at(e.SchemaURL)["pattern"] == patternDuration))
	case *cause.Enum:
		words := make([]string, len(k.Want))
		for i, w := range k.Want {
			words[i] = fmt.Sprint(w)
		}
		return here(value.text, fmt.Sprintf("%q is not one of %s", value.text, strings.Join(words, ", ")), didYouMeanOnly(value.text, words))
	case *cause.Pattern:
		return here(shown(path, value), pattern(k.Want, value), mendPattern(k.Want))
	case *cause.Minimum:
		return here(value.text, fmt.Sprintf("%s is less than %s", value.text, k.Want.RatString()), "")
	case *cause.Maximum:
		return here(value.text, fmt.Sprintf("%s is more than %s", value.text, k.Want.RatString()), "")
	case *cause.MinItems, *cause.MinLength:
		return here("", empty, "fill it in, or leave the key out")
	}
	return here("", "not valid here", "see config/pushpull.schema.json")
}

// secretPath reports whether a value is not shown, whatever it is: a value in
// place of a reference is a secret.
func secretPath(path []string) bool {
	return slices.Contains(path, "privacy") && path[len(path)-1] == "key" || slices.ContainsFunc(path, func(step string) bool {
		switch step {
		case "secret", "secrets", "token", "sign", "headers", "username", "password", "params",
			"client_secret", "secret_key", "private_key", "session_token", "login", "webhook_url":
			return true
		}
		return false
	})
}

func shown(path []string, n *node) string {
	if secretPath(path) {
		return ""
	}
	return n.text
}

func pattern(want string, n *node) string {
	switch want {
	case patternSecret:
		return "not a reference to a secret (its value is not shown)"
	case patternDuration:
		return fmt.Sprintf("%q is not a duration", n.text)
	}
	return fmt.Sprintf("%q is not valid here", n.text)
}

func mendPattern(want string) string {
	switch want {
	case patternSecret:
		return "keep the value elsewhere and write where: ssm:/name, secretsmanager:name, secretsmanager:name#field or env:NAME"
	case patternDuration:
		return "write 30d, 12h, 15m or 90s"
	}
	return ""
}

func mendType(n *node, want []string, duration bool) string {
	switch {
	case n.kind == nothing:
		return "fill it in, or leave the key out"
	case n.kind == number && duration:
		return "write the unit too: 30d, 12h, 15m or 90s"
	case n.kind != list && slices.Contains(want, "string"):
		return "if it is meant as text, put it in quotes"
	case n.kind == text && slices.Contains(want, "integer"):
		return "write it without quotes and units"
	}
	return ""
}

func wanted(types []string) string {
	words := map[string]string{
		"string": string(text), "array": string(list), "object": string(mapping), "integer": "a whole number",
		"number": string(number), "boolean": string(truth), "null": string(nothing),
	}
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = words[t]
	}
	return strings.Join(out, " or ")
}

func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(out, " and ")
}

// didYouMeanOnly is for where the words were listed already.
func didYouMeanOnly(word string, known []string) string {
	if m := didYouMean(word, known); strings.HasPrefix(m, "did") {
		return m
	}
	return ""
}

// dotted writes a path as people say it: routes[0].to.
func dotted(path []string) string {
	var b strings.Builder
	for i, step := range path {
		switch {
		// A name in second place may be of digits alone.
		case strings.Trim(step, "0123456789") == "" && step != "" && (i > 1 || path[0] == "routes"):
			b.WriteString("[" + step + "]")
		case b.Len() > 0:
			b.WriteString("." + step)
		default:
			b.WriteString(step)
		}
	}
	return b.String()
}
