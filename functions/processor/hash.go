package main

import (
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/url"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"pushpull/shared/event"
)

// hashDigits of a SHA-256 tell the bodies of one identity apart, which are a
// handful; all of them would cost the claim item more than the claim itself.
const hashDigits = 16

// hashOf is the hash of an event's data without what is volatile in them, "" where
// they cannot be compared: they are in the claim check and something of them is
// volatile, or they have a form in which it cannot be found. Nothing is fetched
// for it: the reference to data in the claim check ends in their hash.
func hashOf(e event.Event, volatile []string) string {
	switch {
	case e.Data == nil && e.DataRef != "":
		if len(volatile) > 0 {
			return ""
		}
		return referenced(e.DataRef)
	case len(volatile) == 0:
		return digest(e.Data)
	case event.ValidJSON(e.Data):
		return digest(without(nil, gjson.ParseBytes(e.Data), steps(volatile)))
	default:
		return digestForm(e, volatile)
	}
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])[:hashDigits]
}

// referenced is the hash in a reference to the claim check, …/<sha256 in hex>.
func referenced(ref string) string {
	name := ref[strings.LastIndexByte(ref, '/')+1:]
	if b, err := hex.DecodeString(name); err != nil || len(b) != sha256.Size {
		return ""
	}
	return name[:hashDigits]
}

// digestForm hashes a form without the fields that are volatile.
func digestForm(e event.Event, volatile []string) string {
	media, _, err := mime.ParseMediaType(e.ContentType)
	if err != nil || media != "application/x-www-form-urlencoded" {
		return ""
	}
	fields, err := url.ParseQuery(string(e.Data))
	if err != nil {
		return ""
	}
	for _, name := range volatile {
		fields.Del(name)
	}
	return digest([]byte(fields.Encode()))
}

// steps splits paths at their dots; a dot within a name is written \. as in a Spec.
func steps(paths []string) [][]string {
	split := make([][]string, len(paths))
	for i, path := range paths {
		step := ""
		for j := 0; j < len(path); j++ {
			switch {
			case path[j] == '\\' && j+1 < len(path):
				j++
				step += path[j : j+1]
			case path[j] == '.':
				split[i] = append(split[i], step)
				step = ""
			default:
				step += path[j : j+1]
			}
		}
		split[i] = append(split[i], step)
	}
	return split
}

// without appends v without what the paths lead to. What no path leads into is
// as it was written; a member that is absent and one that was left out are the same.
func without(dst []byte, v gjson.Result, paths [][]string) []byte {
	if len(paths) == 0 || !v.IsObject() && !v.IsArray() {
		return append(dst, v.Raw...)
	}
	index := 0
	dst = append(dst, v.Raw[0])
	v.ForEach(func(name, member gjson.Result) bool {
		step := name.Str
		if v.IsArray() {
			step = strconv.Itoa(index)
			index++
		}
		inner, whole := into(paths, step, v.IsArray())
		if whole {
			return true
		}
		if v.IsObject() {
			dst = append(dst, name.Raw...)
			dst = append(dst, ':')
		}
		dst = append(without(dst, member, inner), ',') // behind the last too: it is only hashed
		return true
	})
	return append(dst, v.Raw[len(v.Raw)-1])
}

// anyItem is the step of a path that leads to every item of a list.
const anyItem = "[]"

// into is what is left of the paths that lead into a member, or an item; whole
// says that one leads to it.
func into(paths [][]string, step string, item bool) (inner [][]string, whole bool) {
	for _, p := range paths {
		if p[0] != step && (!item || p[0] != anyItem) {
			continue
		}
		if len(p) == 1 {
			return nil, true
		}
		inner = append(inner, p[1:])
	}
	return inner, false
}
