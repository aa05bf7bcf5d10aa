package dynamodb

import (
	"slices"
	"time"
)

// tableMeta is what is on disk about a table.
type tableMeta struct {
	Definition TableDefinition
	ID         string
	Created    time.Time
	Building   []string `json:",omitempty"` // indexes whose backfill has not ended

	BuildingTTL bool `json:",omitempty"` // the TTL index is being filled
}

// A table is a tableMeta made ready for use. It is never changed: a changed
// table is a new one in its place.
type table struct {
	meta    tableMeta
	key     keySchema
	indexes []*index
	ttl     string // the attribute; empty where TTL is off

	itemsBucket, ttlBucket []byte
}

type keyAttribute struct {
	name string
	kind kind
}

// A keySchema is a hash key and, where sort has a name, a sort key.
type keySchema struct {
	hash, sort keyAttribute
}

func (k keySchema) attributes() []keyAttribute {
	if k.sort.name == "" {
		return []keyAttribute{k.hash}
	}
	return []keyAttribute{k.hash, k.sort}
}

func (k keySchema) has(name string) bool { return name == k.hash.name || name == k.sort.name }

type index struct {
	name       string
	global     bool
	building   bool
	key        keySchema
	projection Projection
	bucket     []byte
}

func newTable(meta tableMeta) *table {
	d := &meta.Definition
	t := &table{
		meta:        meta,
		key:         d.schema(d.KeySchema),
		itemsBucket: []byte("items/" + meta.ID),
		ttlBucket:   []byte("ttl/" + meta.ID),
	}
	if ttl := d.TimeToLiveSpecification; ttl != nil && ttl.Enabled {
		t.ttl = ttl.AttributeName
	}
	add := func(defs []IndexDefinition, global bool) {
		for _, x := range defs {
			t.indexes = append(t.indexes, &index{
				name:       x.IndexName,
				global:     global,
				building:   slices.Contains(meta.Building, x.IndexName),
				key:        d.schema(x.KeySchema),
				projection: x.Projection,
				bucket:     indexBucket(meta.ID, x.IndexName),
			})
		}
	}
	add(d.GlobalSecondaryIndexes, true)
	add(d.LocalSecondaryIndexes, false)
	return t
}

func indexBucket(tableID, name string) []byte { return []byte("index/" + tableID + "/" + name) }

func (d *TableDefinition) schema(keys []KeySchemaElement) keySchema {
	var k keySchema
	k.hash = keyAttribute{keys[0].AttributeName, d.attributeKind(keys[0].AttributeName)}
	if len(keys) > 1 {
		k.sort = keyAttribute{keys[1].AttributeName, d.attributeKind(keys[1].AttributeName)}
	}
	return k
}

// incomplete reports whether a backfill has not ended.
func (m *tableMeta) incomplete() bool { return len(m.Building) > 0 || m.BuildingTTL }

func (t *table) name() string { return t.meta.Definition.TableName }

func (t *table) index(name string) (*index, error) {
	for _, x := range t.indexes {
		if x.name != name {
			continue
		}
		if x.building {
			return nil, invalid("Cannot read from backfilling global secondary index: %s", name)
		}
		return x, nil
	}
	return nil, invalid("The table does not have the specified index: %s", name)
}

// encode is the bytes of an item's own key.
func (k keySchema) encode(it item) []byte {
	b := partitionPrefix(it[k.hash.name])
	if k.sort.name != "" {
		b = appendKeyValue(b, it[k.sort.name])
	}
	return b
}

// entry is the key of an item in the index; nil where the item lacks one of
// the index's keys and so is not in it. The value is the item's own key.
func (x *index) entry(it item, own []byte) []byte {
	if it == nil {
		return nil
	}
	for _, a := range x.key.attributes() {
		if v, found := it[a.name]; !found || v.kind != a.kind {
			return nil
		}
	}
	return append(x.key.encode(it), own...)
}

// shows reports whether the index projects the attribute.
func (x *index) shows(t *table, name string) bool {
	return x.projection.ProjectionType == projectAll || x.key.has(name) || t.key.has(name) ||
		slices.Contains(x.projection.NonKeyAttributes, name)
}

// projected is what the index shows of an item.
func (x *index) projected(t *table, it item) item {
	if x.projection.ProjectionType == projectAll {
		return it
	}
	out := make(item, 4)
	for name, v := range it {
		if x.shows(t, name) {
			out[name] = v
		}
	}
	return out
}

// keyOf is the key that LastEvaluatedKey gives for an item.
func (t *table) keyOf(it item, x *index) item {
	out := item{}
	attributes := t.key.attributes()
	if x != nil {
		attributes = append(attributes, x.key.attributes()...)
	}
	for _, a := range attributes {
		out[a.name] = it[a.name]
	}
	return out
}
