package dynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	bolterrors "go.etcd.io/bbolt/errors"
)

// A createRequest is CreateTable's: the definition, and what AWS has besides.
// TTL is set by a call of its own.
type createRequest struct {
	TableDefinition
	TimeToLiveSpecification *struct{} `json:"-"`
	StreamSpecification     *struct{ StreamEnabled bool }
}

func (s *Server) createTable(body []byte) (any, error) {
	var q createRequest
	if err := decode(body, &q); err != nil {
		return nil, err
	}
	if q.StreamSpecification != nil && q.StreamSpecification.StreamEnabled {
		return nil, invalid("the parameter StreamSpecification is not supported by the local endpoint: it has no streams")
	}
	if err := q.check(); err != nil {
		return nil, err
	}
	t, err := s.create(q.TableDefinition)
	if err != nil {
		return nil, err
	}
	d, err := s.describe(t, "ACTIVE")
	return map[string]any{"TableDescription": d}, err
}

// create makes the table; it is an error where there is one of that name.
func (s *Server) create(d TableDefinition) (*table, error) {
	t := newTable(tableMeta{Definition: d, ID: uuid.NewString(), Created: s.now()})
	err := s.commits.do(true, func(w *writer) error {
		if _, err := s.table(t.name()); err == nil {
			return failf(codeInUse, "Table already exists: %s", t.name())
		}
		for _, name := range t.buckets() {
			if _, err := w.tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return s.save(w, t)
	})
	return t, err
}

// buckets are all that belong to the table. That of its TTL is there even
// while TTL is off.
func (t *table) buckets() [][]byte {
	names := [][]byte{t.itemsBucket, t.ttlBucket}
	for _, x := range t.indexes {
		names = append(names, x.bucket)
	}
	return names
}

// save writes a table's definition, which others see once it is committed. Only
// a job alone may call it.
func (s *Server) save(w *writer, t *table) error {
	data, err := json.Marshal(t.meta)
	if err != nil {
		return err
	}
	w.committed = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tables[t.name()] = t
	}
	return w.tx.Bucket(tablesBucket).Put([]byte(t.name()), data)
}

// change replaces a table's definition in one job: edit gets a copy, and the
// writer for what the change needs besides.
func (s *Server) change(name string, edit func(w *writer, meta *tableMeta) error) (*table, error) {
	var t *table
	err := s.commits.do(true, func(w *writer) error {
		now, err := s.table(name)
		if err != nil {
			return err
		}
		meta := now.meta
		meta.Building = slices.Clone(meta.Building)
		meta.Definition.GlobalSecondaryIndexes = slices.Clone(meta.Definition.GlobalSecondaryIndexes)
		if err := edit(w, &meta); err != nil {
			return err
		}
		t = newTable(meta)
		return s.save(w, t)
	})
	return t, err
}

func (s *Server) deleteTable(body []byte) (any, error) {
	t, err := s.decodeTable(body)
	if err != nil {
		return nil, err
	}
	if t.meta.Definition.DeletionProtectionEnabled {
		return nil, invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	d, err := s.describe(t, "DELETING")
	if err != nil {
		return nil, err
	}
	err = s.commits.do(true, func(w *writer) error {
		now, err := s.table(t.name())
		if err != nil {
			return err
		}
		for _, name := range now.buckets() {
			if err := w.tx.DeleteBucket(name); err != nil && !errors.Is(err, bolterrors.ErrBucketNotFound) {
				return err
			}
		}
		w.committed = func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.tables, now.name())
		}
		return errors.Join(w.tx.Bucket(statsBucket).Delete([]byte(now.meta.ID)), w.tx.Bucket(tablesBucket).Delete([]byte(now.name())))
	})
	return map[string]any{"TableDescription": d}, err
}

// An updateTableRequest is UpdateTable's.
type updateTableRequest struct {
	TableName                   string
	AttributeDefinitions        []AttributeDefinition
	BillingMode                 string
	ProvisionedThroughput       *Throughput
	DeletionProtectionEnabled   *bool
	GlobalSecondaryIndexUpdates []struct {
		Create *IndexDefinition
		Update *struct {
			IndexName             string
			ProvisionedThroughput *Throughput
		}
		Delete *struct{ IndexName string }
	}
}

func (s *Server) updateTable(body []byte) (any, error) {
	var q updateTableRequest
	if err := decode(body, &q); err != nil {
		return nil, err
	}
	t, err := s.namedTable(q.TableName)
	if err != nil {
		return nil, err
	}
	if q.BillingMode == "" && q.ProvisionedThroughput == nil && q.DeletionProtectionEnabled == nil && len(q.GlobalSecondaryIndexUpdates) == 0 {
		return nil, invalid("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	}
	t, err = s.change(t.name(), func(w *writer, meta *tableMeta) error { return q.apply(w, meta) })
	if err != nil {
		return nil, err
	}
	s.resumeBackfill(t)
	d, err := s.describe(t, "ACTIVE")
	return map[string]any{"TableDescription": d}, err
}

// apply edits a table's definition. All checks come before the first write.
func (q *updateTableRequest) apply(w *writer, meta *tableMeta) error {
	d := &meta.Definition
	q.applyBilling(d)
	if q.AttributeDefinitions != nil {
		d.AttributeDefinitions = mergeAttributes(d.AttributeDefinitions, q.AttributeDefinitions)
	}
	var added, removed []string
	for _, u := range q.GlobalSecondaryIndexUpdates {
		switch {
		case u.Create != nil:
			if slices.Contains(meta.Building, u.Create.IndexName) {
				return failf(codeInUse, "Attempt to change a resource which is still in use: Index is being created.")
			}
			if d.hasIndex(u.Create.IndexName) {
				return invalid("Attempting to create an index which already exists")
			}
			added = append(added, u.Create.IndexName)
			d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, *u.Create)
		case u.Delete != nil:
			if !d.hasGlobalIndex(u.Delete.IndexName) {
				return tableNotFound()
			}
			removed = append(removed, u.Delete.IndexName)
			d.removeIndex(u.Delete.IndexName)
		case u.Update != nil:
			if !d.hasGlobalIndex(u.Update.IndexName) {
				return tableNotFound()
			}
		}
	}
	if len(added)+len(removed) > 1 {
		return failf(codeLimitExceeded, "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
	}
	d.AttributeDefinitions = d.usedAttributes()
	if err := d.check(); err != nil {
		return err
	}
	return moveIndexes(w, meta, added, removed)
}

func (q *updateTableRequest) applyBilling(d *TableDefinition) {
	if q.BillingMode != "" {
		d.BillingMode = q.BillingMode
	}
	if q.BillingMode == billingOnDemand {
		d.ProvisionedThroughput = nil
	}
	if q.ProvisionedThroughput != nil {
		d.ProvisionedThroughput = q.ProvisionedThroughput
	}
	if q.DeletionProtectionEnabled != nil {
		d.DeletionProtectionEnabled = *q.DeletionProtectionEnabled
	}
}

// moveIndexes makes and removes the buckets, and marks new ones for backfill.
func moveIndexes(w *writer, meta *tableMeta, added, removed []string) error {
	for _, name := range removed {
		meta.Building = slices.DeleteFunc(meta.Building, func(b string) bool { return b == name })
		if err := w.tx.DeleteBucket(indexBucket(meta.ID, name)); err != nil {
			return fmt.Errorf("remove index %s: %w", name, err)
		}
	}
	for _, name := range added {
		meta.Building = append(meta.Building, name)
		if _, err := w.tx.CreateBucketIfNotExists(indexBucket(meta.ID, name)); err != nil {
			return fmt.Errorf("make index %s: %w", name, err)
		}
	}
	return nil
}

func (d *TableDefinition) hasIndex(name string) bool {
	return d.hasGlobalIndex(name) || slices.ContainsFunc(d.LocalSecondaryIndexes, func(x IndexDefinition) bool { return x.IndexName == name })
}

func (d *TableDefinition) hasGlobalIndex(name string) bool {
	return slices.ContainsFunc(d.GlobalSecondaryIndexes, func(x IndexDefinition) bool { return x.IndexName == name })
}

func (d *TableDefinition) removeIndex(name string) {
	d.GlobalSecondaryIndexes = slices.DeleteFunc(d.GlobalSecondaryIndexes, func(x IndexDefinition) bool { return x.IndexName == name })
}

// mergeAttributes adds definitions that are new; AWS wants the old ones
// repeated, so those are there twice.
func mergeAttributes(old, more []AttributeDefinition) []AttributeDefinition {
	merged := slices.Clone(old)
	for _, a := range more {
		if !slices.ContainsFunc(merged, func(b AttributeDefinition) bool { return a.AttributeName == b.AttributeName }) {
			merged = append(merged, a)
		}
	}
	return merged
}

// usedAttributes are the definitions that a key still uses.
func (d *TableDefinition) usedAttributes() []AttributeDefinition {
	used := map[string]bool{}
	mark := func(keys []KeySchemaElement) {
		for _, k := range keys {
			used[k.AttributeName] = true
		}
	}
	mark(d.KeySchema)
	for _, x := range slices.Concat(d.GlobalSecondaryIndexes, d.LocalSecondaryIndexes) {
		mark(x.KeySchema)
	}
	return slices.DeleteFunc(slices.Clone(d.AttributeDefinitions), func(a AttributeDefinition) bool { return !used[a.AttributeName] })
}

// EnsureTable makes the table be as defined: it makes one that is not there,
// adds and backfills global indexes, removes those no longer defined, and sets
// billing, tags and TTL. Keys, and local indexes, cannot change: that is an
// error, and its mend is to remove the table. It returns when all is done.
func (s *Server) EnsureTable(def TableDefinition) error {
	if def.BillingMode != billingOnDemand && def.ProvisionedThroughput == nil {
		def.ProvisionedThroughput = &Throughput{ReadCapacityUnits: 5, WriteCapacityUnits: 5}
	}
	if err := def.check(); err != nil {
		return fmt.Errorf("table %s: %w", def.TableName, err)
	}
	if _, err := s.table(def.TableName); err != nil {
		_, err := s.create(def) // its TTL, too: there is nothing to fill
		return err
	}
	t, err := s.change(def.TableName, func(w *writer, meta *tableMeta) error { return ensure(w, meta, def) })
	if err != nil {
		return fmt.Errorf("table %s: %w", def.TableName, err)
	}
	if err := s.backfill(context.Background(), t); err != nil {
		return fmt.Errorf("table %s: %w", def.TableName, err)
	}
	return s.ensureTimeToLive(def)
}

// ensure edits the definition to the one wanted, but for TTL.
func ensure(w *writer, meta *tableMeta, def TableDefinition) error {
	old := &meta.Definition
	if !sameKeys(old, old.KeySchema, &def, def.KeySchema) {
		return fmt.Errorf("its key is %sand the definition says %swhich no table can change to: remove the table, or begin anew with --fresh: %w",
			describeKeys(old, old.KeySchema), describeKeys(&def, def.KeySchema), errKeys)
	}
	if !sameIndexes(old, &def, old.LocalSecondaryIndexes, def.LocalSecondaryIndexes) {
		return fmt.Errorf("its local indexes differ from the definition's, and can only be made with the table: remove the table, or begin anew with --fresh: %w", errKeys)
	}
	var added, removed []string
	for _, x := range old.GlobalSecondaryIndexes {
		if !sameIndexes(old, &def, []IndexDefinition{x}, find(def.GlobalSecondaryIndexes, x.IndexName)) {
			removed = append(removed, x.IndexName)
		}
	}
	for _, x := range def.GlobalSecondaryIndexes {
		if !old.hasGlobalIndex(x.IndexName) || slices.Contains(removed, x.IndexName) {
			added = append(added, x.IndexName)
		}
	}
	ttl := old.TimeToLiveSpecification
	*old = def
	old.TimeToLiveSpecification = ttl
	return moveIndexes(w, meta, added, removed)
}

var errKeys = errors.New("the keys differ")

func find(indexes []IndexDefinition, name string) []IndexDefinition {
	for _, x := range indexes {
		if x.IndexName == name {
			return []IndexDefinition{x}
		}
	}
	return nil
}

// sameIndexes compares all but the throughput.
func sameIndexes(a, b *TableDefinition, xs, ys []IndexDefinition) bool {
	return slices.EqualFunc(xs, ys, func(x, y IndexDefinition) bool {
		return x.IndexName == y.IndexName && sameKeys(a, x.KeySchema, b, y.KeySchema) &&
			x.Projection.ProjectionType == y.Projection.ProjectionType &&
			slices.Equal(x.Projection.NonKeyAttributes, y.Projection.NonKeyAttributes)
	})
}
