package load

import (
	"fmt"
	"slices"
	"strings"
)

// didYouMean asks for the known word nearest to one that is unknown, or lists
// the few there are, or says nothing.
func didYouMean(word string, known []string) string {
	switch best := nearest(word, known); {
	case best != "":
		return fmt.Sprintf("did you mean %q?", best)
	case len(known) == 0:
		return ""
	case len(known) <= 12:
		known = slices.Sorted(slices.Values(known))
		return "there is " + strings.Join(known, ", ")
	}
	return ""
}

// nearest is the known word with the fewest slips, or none.
func nearest(word string, known []string) string {
	best, least := "", len(word)/3+2 // so many slips, and it is another word
	if len(known) > 1000 {
		return "" // more than a person could mean, and slow to compare
	}
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the number of letters to put in, take out, change or swap. Words
// too long to be a slip of each other are not compared.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
