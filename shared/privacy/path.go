package privacy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"pushpull/shared/config"
)

// Each is the step of a path that leads to every item of a list.
const Each = "[]"

// ParsePath splits a path into names of members and Each: .a.b, .items[].email,
// .["a name of any kind"].
func ParsePath(path string) ([]string, error) {
	var steps []string
	rest := path
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, Each):
			steps, rest = append(steps, Each), rest[len(Each):]
		case strings.HasPrefix(rest, `["`), strings.HasPrefix(rest, `.["`):
			name, after, err := quotedStep(strings.TrimPrefix(rest, "."))
			if err != nil {
				return nil, fmt.Errorf("path %q: %w", path, err)
			}
			steps, rest = append(steps, name), after
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[") + 1
			if end == 0 {
				end = len(rest)
			}
			if end == 1 {
				return nil, fmt.Errorf("path %q: an empty name: write .a.b, .items[].name or .[\"a name\"]", path)
			}
			steps, rest = append(steps, rest[1:end]), rest[end:]
		default:
			return nil, fmt.Errorf("path %q: begins with no dot: write .a.b, .items[].name or .[\"a name\"]", path)
		}
	}
	if len(steps) == 0 {
		return nil, errors.New("an empty path: write .a.b, .items[].name or .[\"a name\"]")
	}
	return steps, nil
}

// quotedStep reads ["…"]; the name is as JSON writes it.
func quotedStep(rest string) (name, after string, err error) {
	d := json.NewDecoder(strings.NewReader(rest[1:]))
	if err := d.Decode(&name); err == nil {
		after = rest[1+d.InputOffset():]
		if after, ok := strings.CutPrefix(after, "]"); ok && name != "" && name != Each {
			return name, after, nil
		}
	}
	return "", "", errors.New(`a name in brackets is written ["a name"]`)
}

// A node is where paths have come to. Its do is done with what is there.
type node struct {
	do      action
	path    string
	members map[string]*node
	items   *node
}

type action int

const (
	nothing action = iota
	mask
	hash
	drop
	tokenise
	encrypt
)

func compile(p config.Privacy) (*node, error) {
	root := &node{}
	var errs []error
	for _, rule := range []struct {
		do    action
		paths config.Paths
	}{{mask, p.Mask}, {hash, p.Hash}, {drop, p.Drop}, {tokenise, p.Tokenise}, {encrypt, p.Encrypt}} {
		for _, path := range rule.paths {
			errs = append(errs, root.add(rule.do, path))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return root, nil
}

func (n *node) add(do action, path string) error {
	steps, err := ParsePath(path)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if n.do != nothing {
			return fmt.Errorf("path %q: %q is hidden already", path, n.path)
		}
		n = n.child(step)
	}
	if n.do != nothing || n.members != nil || n.items != nil {
		return fmt.Errorf("path %q: it, or something in it, is hidden already", path)
	}
	n.do, n.path = do, path
	return nil
}

func (n *node) child(step string) *node {
	if step == Each {
		if n.items == nil {
			n.items = &node{}
		}
		return n.items
	}
	if n.members == nil {
		n.members = map[string]*node{}
	}
	if n.members[step] == nil {
		n.members[step] = &node{}
	}
	return n.members[step]
}
