package dynamodb

// size is what AWS counts for an item: the names in UTF-8 and the values.
func (it item) size() int {
	n := 0
	for name, v := range it {
		n += len(name) + v.size()
	}
	return n
}

// size is what AWS counts for a value: containers cost three bytes and one for
// each element, a number about a byte for two digits.
func (v value) size() int {
	switch v.kind {
	case kindS, kindB:
		return len(v.text)
	case kindN:
		return numberSize(v.text)
	case kindList:
		n := 3
		for _, e := range v.list {
			n += 1 + e.size()
		}
		return n
	case kindMap:
		return 3 + len(v.m) + v.m.size()
	case kindSS, kindBS:
		n := 0
		for _, s := range v.set {
			n += len(s)
		}
		return n
	case kindNS:
		n := 0
		for _, s := range v.set {
			n += numberSize(s)
		}
		return n
	default:
		return 1
	}
}

func numberSize(text string) int {
	d, err := parseNumber(text)
	if err != nil {
		return 1
	}
	n := 1 + (len(d.digits)+1)/2
	if d.negative {
		n++
	}
	return n
}
