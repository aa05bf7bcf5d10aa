package checkpoint

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/klauspost/compress/zstd"

	"pushpull/shared/pull"
)

// A Snapshot is the memory of one poll that compares: an item an entity,
// entity/<poll>/<entity> (hash, n), written only where it changed; and, for
// deletes, lists of the entities that each run saw, seen/<poll>/<run>/<number>,
// packed. The item seen/<poll> names the runs whose lists are there, and the item
// seen/<poll>/<run> counts them. Nothing is scanned: what is gone is what an older
// run's lists have and this run's do not.
//
// A run of 10,000 entities reads 10,000 items and writes those that changed; where
// deletes are looked for, it writes two more items a page, and reads the lists once.
//
// It is one run's, and not safe for concurrent use.
type Snapshot struct {
	s    *Store
	poll string
	keep time.Duration // how long a deleted entity is remembered

	known  map[string]pull.Entry // as Lookup found them; what is as it was is not written again
	run    string                // whose lists are being written
	gone   []string              // what is left to tell, once found
	found  bool
	settle []string // the runs that stay, once the last of gone is committed
}

// Snapshot opens a poll's. Keep is how long the ledger keeps its events.
func (s *Store) Snapshot(poll string, keep time.Duration) *Snapshot {
	return &Snapshot{s: s, poll: poll, keep: keep, known: map[string]pull.Entry{}}
}

const (
	mostName   = 1024      // bytes of a key; DynamoDB takes 2,048
	mostNames  = 256 << 10 // bytes of a list, before it is packed: an item has 400 KB at most
	goneAtOnce = 500       // entities of one part of what is gone
	writeBatch = 25        // items of one BatchWriteItem
)

func (n *Snapshot) entityName(entity string) string {
	name := "entity/" + n.poll + "/" + entity
	if len(name) > mostName {
		sum := sha256.Sum256([]byte(entity))
		name = name[:mostName-64] + "#" + base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return name
}

// Lookup gives what is remembered of these entities.
func (n *Snapshot) Lookup(ctx context.Context, entities []string) (map[string]pull.Entry, error) {
	byName := make(map[string]string, len(entities))
	var names []string
	for _, entity := range entities {
		name := n.entityName(entity)
		if _, twice := byName[name]; !twice {
			names = append(names, name)
		}
		byName[name] = entity
	}
	found := map[string]pull.Entry{}
	err := n.s.each(ctx, names, func(it item) error {
		e := pull.Entry{Entity: byName[textOf(it, "key")], Hash: textOf(it, "hash"), Changes: countOf(it, "n")}
		found[e.Entity] = e
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the snapshot of %s: %w", n.poll, err)
	}
	n.known = maps.Clone(found) // the caller's is the caller's
	return found, nil
}

// Commit remembers entries, and that the run saw them.
func (n *Snapshot) Commit(ctx context.Context, run string, entries []pull.Entry) error {
	var changed []item
	var seen []string
	for _, e := range entries {
		if e.Hash != "" {
			seen = append(seen, e.Entity)
		}
		if before, ok := n.known[e.Entity]; !ok || before != e {
			changed = append(changed, n.entryItem(e))
		}
	}
	if err := n.s.writeAll(ctx, changed); err != nil {
		return fmt.Errorf("remember %d entities of %s: %w", len(changed), n.poll, err)
	}
	if err := n.list(ctx, run, seen); err != nil {
		return fmt.Errorf("note what the run saw of %s: %w", n.poll, err)
	}
	if n.found && len(n.gone) == 0 && n.settle != nil {
		return n.forget(ctx, n.settle)
	}
	return nil
}

func (n *Snapshot) entryItem(e pull.Entry) item {
	it := item{"key": text(n.entityName(e.Entity)), "hash": text(e.Hash), "n": count(e.Changes)}
	if e.Hash == "" { // deleted: its number goes on if it comes back while the ledger may know it
		it["ttl"] = seconds(n.s.now().Add(n.keep))
	}
	return it
}

// list adds to the lists of what a run saw. Each has a number that no other gets,
// so that a late writer takes nothing away; a number whose list was not written
// any more is of a page that comes again.
func (n *Snapshot) list(ctx context.Context, run string, entities []string) error {
	if len(entities) > 0 && n.run != run {
		set := newChange()
		set.add("runs", &types.AttributeValueMemberSS{Value: []string{run}})
		if _, err := n.update(ctx, n.listName(), set); err != nil {
			return err
		}
		n.run = run
	}
	for len(entities) > 0 {
		packed, rest, err := packNames(entities)
		if err != nil {
			return err
		}
		next := newChange()
		next.add("n", count(1))
		head, err := n.update(ctx, n.listName(run), next)
		if err != nil {
			return err
		}
		set := newChange()
		set.put("names", &types.AttributeValueMemberB{Value: packed})
		if _, err := n.update(ctx, n.listName(run, countOf(head, "n")), set); err != nil {
			return err
		}
		entities = rest
	}
	return nil
}

// listName is that of a run's list; without its number of the run; without both of all runs.
func (n *Snapshot) listName(parts ...any) string {
	var name strings.Builder
	name.WriteString("seen/" + n.poll)
	for _, part := range parts {
		fmt.Fprintf(&name, "/%v", part)
	}
	return name.String()
}

// Gone lists entities that none of the runs saw, a part at a time.
func (n *Snapshot) Gone(ctx context.Context, runs []string, after string) ([]pull.Entry, string, error) {
	if !n.found || after == "" {
		gone, err := n.unseen(ctx, runs)
		if err != nil {
			return nil, "", fmt.Errorf("compare what runs saw of %s: %w", n.poll, err)
		}
		n.gone, n.found, n.settle = gone, true, runs
	}
	for len(n.gone) > 0 {
		part := n.gone[:min(goneAtOnce, len(n.gone))]
		known, err := n.Lookup(ctx, part)
		if err != nil {
			return nil, "", err
		}
		n.gone = n.gone[len(part):]
		var entries []pull.Entry
		for _, entity := range part {
			if e, ok := known[entity]; ok && e.Hash != "" {
				entries = append(entries, e)
			}
		}
		if len(entries) > 0 {
			next := ""
			if len(n.gone) > 0 {
				next = part[len(part)-1]
			}
			return entries, next, nil
		}
	}
	return nil, "", n.forget(ctx, runs)
}

// unseen are the entities of other runs' lists that are in none of these, sorted.
func (n *Snapshot) unseen(ctx context.Context, runs []string) ([]string, error) {
	all, err := n.runs(ctx)
	if err != nil {
		return nil, err
	}
	others := map[string]bool{}
	for _, run := range all {
		if !slices.Contains(runs, run) {
			if err := n.read(ctx, run, func(entity string) { others[entity] = true }); err != nil {
				return nil, err
			}
		}
	}
	for _, run := range runs {
		if err := n.read(ctx, run, func(entity string) { delete(others, entity) }); err != nil {
			return nil, err
		}
	}
	gone := make([]string, 0, len(others))
	for entity := range others {
		gone = append(gone, entity)
	}
	slices.Sort(gone)
	return gone, nil
}

// runs are those whose lists are there.
func (n *Snapshot) runs(ctx context.Context) ([]string, error) {
	var runs []string
	err := n.s.each(ctx, []string{n.listName()}, func(it item) error {
		if names, ok := it["runs"].(*types.AttributeValueMemberSS); ok {
			runs = names.Value
		}
		return nil
	})
	return runs, err
}

// lists are the names of a run's lists, counted from 1.
func (n *Snapshot) lists(ctx context.Context, run string) ([]string, error) {
	var names []string
	err := n.s.each(ctx, []string{n.listName(run)}, func(it item) error {
		for number := range countOf(it, "n") {
			names = append(names, n.listName(run, number+1))
		}
		return nil
	})
	return names, err
}

// read gives the entities of a run's lists, a few lists of up to 400 KB at a time.
func (n *Snapshot) read(ctx context.Context, run string, each func(string)) error {
	names, err := n.lists(ctx, run)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(names, 8) {
		err := n.s.each(ctx, some, func(it item) error {
			packed, ok := it["names"].(*types.AttributeValueMemberB)
			if !ok {
				return errList
			}
			return unpackNames(packed.Value, each)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// forget drops the lists of all runs but these. They expire: DynamoDB deletes for free.
func (n *Snapshot) forget(ctx context.Context, stay []string) error {
	n.settle = nil
	all, err := n.runs(ctx)
	if err != nil {
		return err
	}
	drop := slices.DeleteFunc(all, func(run string) bool { return slices.Contains(stay, run) })
	for _, run := range drop {
		if err := n.expire(ctx, run); err != nil {
			return err
		}
	}
	if len(drop) == 0 {
		return nil
	}
	set := newChange()
	set.deleteFrom("runs", &types.AttributeValueMemberSS{Value: drop})
	_, err = n.update(ctx, n.listName(), set)
	return err
}

func (n *Snapshot) expire(ctx context.Context, run string) error {
	names, err := n.lists(ctx, run)
	if err != nil {
		return err
	}
	for _, name := range append(names, n.listName(run)) {
		set := newChange()
		set.put("ttl", seconds(n.s.now()))
		if _, err := n.update(ctx, name, set); err != nil {
			return err
		}
	}
	return nil
}

func (n *Snapshot) update(ctx context.Context, name string, set *change) (item, error) {
	in := &dynamodb.UpdateItemInput{
		TableName: aws.String(n.s.table), Key: item{"key": text(name)},
		UpdateExpression: aws.String(set.expression()), ExpressionAttributeNames: set.names, ExpressionAttributeValues: set.values,
	}
	if len(set.adds) > 0 {
		in.ReturnValues = types.ReturnValueUpdatedNew
	}
	out, err := n.s.api.UpdateItem(ctx, in)
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

// writeAll puts items, each under its own key, 25 at a time.
func (s *Store) writeAll(ctx context.Context, items []item) error {
	for chunk := range slices.Chunk(items, writeBatch) {
		requests := make([]types.WriteRequest, len(chunk))
		for i, it := range chunk {
			requests[i] = types.WriteRequest{PutRequest: &types.PutRequest{Item: it}}
		}
		for try := 0; len(requests) > 0; try++ {
			if err := pauseBefore(ctx, try, len(requests)); err != nil {
				return err
			}
			out, err := s.api.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{s.table: requests}})
			if err != nil {
				return err
			}
			requests = out.UnprocessedItems[s.table]
		}
	}
	return nil
}

// packNames packs as many names as fit into a list.
func packNames(names []string) (packed []byte, rest []string, err error) {
	var plain []byte
	for len(names) > 0 && (len(plain) == 0 || len(plain)+len(names[0]) < mostNames) {
		plain = strconv.AppendInt(plain, int64(len(names[0])), 10)
		plain = append(plain, ':')
		plain = append(plain, names[0]...)
		names = names[1:]
	}
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(mostNames))
	if err != nil {
		return nil, nil, err
	}
	return zip.EncodeAll(plain, nil), names, zip.Close()
}

var errList = errors.New("a list of what a run saw is damaged: reset the poll")

func unpackNames(packed []byte, each func(string)) error {
	unzip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(8<<20))
	if err != nil {
		return err
	}
	defer unzip.Close()
	plain, err := unzip.DecodeAll(packed, nil)
	if err != nil {
		return errors.Join(errList, err)
	}
	for len(plain) > 0 {
		colon := slices.Index(plain, ':')
		if colon < 0 {
			return errList
		}
		n, err := strconv.Atoi(string(plain[:colon]))
		if err != nil || n < 0 || colon+1+n > len(plain) {
			return errList
		}
		each(string(plain[colon+1 : colon+1+n]))
		plain = plain[colon+1+n:]
	}
	return nil
}
