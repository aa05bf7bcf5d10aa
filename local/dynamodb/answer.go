package dynamodb

import "strconv"

// An object builds a JSON object by appending; begin and end nest.
type object struct {
	b     []byte
	first bool
}

func beginObject(b []byte) *object { return &object{b: append(b, '{'), first: true} }

func (o *object) close() []byte { return append(o.b, '}') }

func (o *object) name(name string) {
	if !o.first {
		o.b = append(o.b, ',')
	}
	o.first = false
	o.b = append(appendTextJSON(o.b, name), ':')
}

func (o *object) begin(name string) {
	o.name(name)
	o.b = append(o.b, '{')
	o.first = true
}

func (o *object) end() {
	o.b = append(o.b, '}')
	o.first = false
}

func (o *object) text(name, s string) {
	o.name(name)
	o.b = appendTextJSON(o.b, s)
}

func (o *object) int(name string, n int) {
	o.name(name)
	o.b = strconv.AppendInt(o.b, int64(n), 10)
}

func (o *object) item(name string, it item) {
	o.name(name)
	o.b = appendItemJSON(o.b, it)
}

// list writes an array of n elements.
func (o *object) list(name string, n int, element func(b []byte, i int) []byte) {
	o.name(name)
	o.b = append(o.b, '[')
	for i := range n {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = element(o.b, i)
	}
	o.b = append(o.b, ']')
}

// capacity writes ConsumedCapacity where the request asks for it.
func (o *object) capacity(q *request, c *consumed) {
	if c == nil || q.capacity == "" || q.capacity == "NONE" {
		return
	}
	o.name("ConsumedCapacity")
	o.b = c.appendJSON(o.b, q.capacity, false)
}
