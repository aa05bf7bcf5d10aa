package asjson

// AppendObject appends an object of n members in the order in which their names
// first appear. A name that is there more than once has an array.
func AppendObject(dst []byte, n int, name func(int) string, value func([]byte, int) []byte) []byte {
	const few = 8 // names that are found faster by looking than by hashing
	var (
		heads = make([]int, 0, n) // the first member of each name
		tails = make([]int, 0, n) // the last, in the same order
		next  = make([]int, n)    // the next of the same name, 0 where there is none
		known map[string]int
	)
	if n > few {
		known = make(map[string]int, n)
	}
	group := func(i int) (int, bool) {
		if known != nil {
			g, ok := known[name(i)]
			return g, ok
		}
		for g, head := range heads {
			if name(head) == name(i) {
				return g, true
			}
		}
		return 0, false
	}
	for i := range n {
		if g, ok := group(i); ok {
			next[tails[g]], tails[g] = i, i
			continue
		}
		if known != nil {
			known[name(i)] = len(heads)
		}
		heads, tails = append(heads, i), append(tails, i)
	}
	dst = append(dst, '{')
	for g, head := range heads {
		if g > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendText(dst, name(head)), ':')
		if next[head] == 0 {
			dst = value(dst, head)
			continue
		}
		dst = value(append(dst, '['), head)
		for i := next[head]; i != 0; i = next[i] {
			dst = value(append(dst, ','), i)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}
