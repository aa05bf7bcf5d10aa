package sqs

import "container/heap"

// A priority is a heap whose members know their place in it, so that any of
// them can be moved or removed in O(log n).
type priority[T any] struct {
	items []T
	less  func(a, b T) bool
	place func(T) *int // where the member keeps its index; -1 while it is outside
}

func (p *priority[T]) Len() int           { return len(p.items) }
func (p *priority[T]) Less(i, j int) bool { return p.less(p.items[i], p.items[j]) }

func (p *priority[T]) Swap(i, j int) {
	p.items[i], p.items[j] = p.items[j], p.items[i]
	*p.place(p.items[i]), *p.place(p.items[j]) = i, j
}

// Push is for container/heap; callers use add.
func (p *priority[T]) Push(x any) {
	item := x.(T) // only add calls it
	*p.place(item) = len(p.items)
	p.items = append(p.items, item)
}

// Pop is for container/heap; callers use pop and remove.
func (p *priority[T]) Pop() any {
	last := len(p.items) - 1
	item := p.items[last]
	var none T
	p.items[last] = none
	p.items = p.items[:last]
	*p.place(item) = -1
	return item
}

func (p *priority[T]) add(item T)    { heap.Push(p, item) }
func (p *priority[T]) first() T      { return p.items[0] }
func (p *priority[T]) pop() T        { item := p.items[0]; heap.Pop(p); return item }
func (p *priority[T]) remove(item T) { heap.Remove(p, *p.place(item)) }
func (p *priority[T]) fix(item T)    { heap.Fix(p, *p.place(item)) }
