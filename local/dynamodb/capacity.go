package dynamodb

import (
	"maps"
	"slices"
	"strconv"
)

// consumed is what a request would have cost on AWS, for one table, in units.
type consumed struct {
	table  string
	own    units
	global map[string]units
	local  map[string]units
}

// units of reading and of writing; a request has one kind, but for a
// transaction that was repeated.
type units struct {
	read, write float64
}

func (u units) total() float64 { return u.read + u.write }

func (u *units) add(more units) {
	u.read += more.read
	u.write += more.write
}

func newConsumed(table string) *consumed {
	return &consumed{table: table, global: map[string]units{}, local: map[string]units{}}
}

func (c *consumed) addIndex(x *index, more units) {
	if more.total() == 0 {
		return
	}
	to := c.local
	if x.global {
		to = c.global
	}
	u := to[x.name]
	u.add(more)
	to[x.name] = u
}

func (c *consumed) add(other *consumed) {
	c.own.add(other.own)
	for name, more := range other.global {
		u := c.global[name]
		u.add(more)
		c.global[name] = u
	}
	for name, more := range other.local {
		u := c.local[name]
		u.add(more)
		c.local[name] = u
	}
}

func (c *consumed) total() units {
	sum := c.own
	for _, indexes := range []map[string]units{c.global, c.local} {
		for _, u := range indexes {
			sum.add(u)
		}
	}
	return sum
}

func blocks(bytes, unit int) float64 { return float64((bytes + unit - 1) / unit) }

// readUnits is the cost of reading bytes at once: at least one unit, half for
// a read that may be a little old.
func readUnits(bytes int, consistent bool) units {
	n := max(1, blocks(bytes, readUnitBytes))
	if !consistent {
		n /= 2
	}
	return units{read: n}
}

func writeUnits(bytes int) units { return units{write: max(1, blocks(bytes, writeUnitBytes))} }

// consumed is the cost of a write: the larger of the old and the new item, and
// for each index one write where what it shows changed, or two where the entry
// moves.
func (c *change) consumed() *consumed {
	cost := newConsumed(c.table.name())
	cost.own = writeUnits(max(c.old.size(), c.new.size()))
	if c.verb == "ConditionCheck" {
		return cost
	}
	for _, x := range c.table.indexes {
		cost.addIndex(x, c.indexUnits(x))
	}
	return cost
}

func (c *change) indexUnits(x *index) units {
	from, to := x.entry(c.old, c.keyBytes), x.entry(c.new, c.keyBytes)
	var before, after item
	if from != nil {
		before = x.projected(c.table, c.old)
	}
	if to != nil {
		after = x.projected(c.table, c.new)
	}
	switch {
	case from == nil && to == nil:
		return units{}
	case from == nil:
		return writeUnits(after.size())
	case to == nil:
		return writeUnits(before.size())
	case string(from) != string(to):
		u := writeUnits(before.size())
		u.add(writeUnits(after.size()))
		return u
	case before.equal(after):
		return units{}
	}
	return writeUnits(max(before.size(), after.size()))
}

// double is the cost of the same within a transaction.
func (c *consumed) double() *consumed {
	twice := newConsumed(c.table)
	twice.add(c)
	twice.add(c)
	return twice
}

// appendJSON writes ConsumedCapacity as asked for: TOTAL or INDEXES. split
// adds the read and write parts, as transactions show them.
func (c *consumed) appendJSON(b []byte, detail string, split bool) []byte {
	o := beginObject(b)
	o.text("TableName", c.table)
	o.units(c.total(), split)
	if detail == "INDEXES" {
		o.begin("Table")
		o.units(c.own, split)
		o.end()
		o.indexes("LocalSecondaryIndexes", c.local, split)
		o.indexes("GlobalSecondaryIndexes", c.global, split)
	}
	return o.close()
}

func (o *object) units(u units, split bool) {
	o.number("CapacityUnits", u.total())
	if split && u.read > 0 {
		o.number("ReadCapacityUnits", u.read)
	}
	if split && u.write > 0 {
		o.number("WriteCapacityUnits", u.write)
	}
}

func (o *object) indexes(name string, all map[string]units, split bool) {
	if len(all) == 0 {
		return
	}
	o.begin(name)
	for _, index := range slices.Sorted(maps.Keys(all)) {
		o.begin(index)
		o.units(all[index], split)
		o.end()
	}
	o.end()
}

func (o *object) number(name string, n float64) {
	o.name(name)
	o.b = strconv.AppendFloat(o.b, n, 'f', -1, 64)
}
