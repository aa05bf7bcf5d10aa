package load

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// didYouMean asks for the known word nearest to one that is unknown, or lists
// the few there are, or says nothing.
func didYouMean(word string, known []string) string {
	switch best, ok := Nearest(word, known); {
	case ok:
		return fmt.Sprintf("did you mean %q?", best)
	case len(known) == 0:
		return ""
	case len(known) <= 25: // a poll has as many
		known = slices.Sorted(slices.Values(known))
		return "there is " + strings.Join(known, ", ")
	}
	return ""
}

// Nearest is the known word most like one that is unknown, if it may be a slip of it.
func Nearest(word string, known []string) (string, bool) {
	if len(known) > 1000 || len(word) > 64 {
		return "", false // more than a person could mean, and slow to compare
	}
	best, least := "", len(word)/3+2 // so many slips, and it is another word
	for _, k := range slices.Sorted(slices.Values(known)) {
		d := levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(k))
		if d < least && (d == 1 || len(word) > 4 || anagram(word, k)) {
			best, least = k, d
		}
	}
	return best, best != ""
}

// anagram reports whether two words have the same letters, as form and from have.
func anagram(a, b string) bool {
	letters := func(word string) string {
		return string(slices.Sorted(slices.Values([]rune(strings.ToLower(word)))))
	}
	return letters(a) == letters(b)
}
