package dynamodb

import (
	"bytes"
	"cmp"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// genNumber draws numbers of all sizes, many of them close to each other.
var genNumber = rapid.Custom(func(t *rapid.T) string {
	digits := rapid.StringMatching(`[0-9]{1,19}`).Draw(t, "digits")
	exponent := rapid.OneOf(rapid.IntRange(-3, 3), rapid.IntRange(-100, 100)).Draw(t, "exponent")
	sign := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign")
	return fmt.Sprintf("%s%se%d", sign, digits, exponent)
})

func exact(t *rapid.T, text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is not a number", text)
	}
	return r
}

func TestNumbersKeepTheirValueAndTheirOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := genNumber.Draw(t, "a"), genNumber.Draw(t, "b")
		ca, err := canonicalNumber(a)
		if err != nil {
			t.Fatal(err)
		}
		cb, err := canonicalNumber(b)
		if err != nil {
			t.Fatal(err)
		}
		if exact(t, a).Cmp(exact(t, ca)) != 0 {
			t.Fatalf("%s became %s", a, ca)
		}
		if again, err := canonicalNumber(ca); err != nil || again != ca {
			t.Fatalf("%s became %s, %v", ca, again, err)
		}
		want := exact(t, a).Cmp(exact(t, b))
		if got := compareNumbers(ca, cb); cmp.Compare(got, 0) != want {
			t.Fatalf("%s and %s compare as %d", ca, cb, got)
		}
		if got := bytes.Compare(appendKeyNumber(nil, ca), appendKeyNumber(nil, cb)); got != want {
			t.Fatalf("the keys of %s and %s compare as %d", ca, cb, got)
		}
		if (ca == cb) != (want == 0) {
			t.Fatalf("%s and %s are equal only in one way", ca, cb)
		}
	})
}

func TestSumsAreExactOrRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := genNumber.Draw(t, "a"), genNumber.Draw(t, "b")
		subtract := rapid.Bool().Draw(t, "subtract")
		sum, err := addNumbers(a, b, subtract)
		if err != nil {
			return // over 38 digits, or out of range
		}
		want := new(big.Rat).Add(exact(t, a), exact(t, b))
		if subtract {
			want = new(big.Rat).Sub(exact(t, a), exact(t, b))
		}
		if exact(t, sum).Cmp(want) != 0 {
			t.Fatalf("the sum is %s", sum)
		}
	})
}

func TestKeysOfTextAreOrderedAndEndThemselves(t *testing.T) {
	t.Parallel()
	text := rapid.StringOf(rapid.SampledFrom([]rune{0, 1, 'a', 'b', 'ÿ', '😀'}))
	rapid.Check(t, func(t *rapid.T) {
		a, b, tail := text.Draw(t, "a"), text.Draw(t, "b"), text.Draw(t, "tail")
		ka, kb := appendKeyValue(nil, stringValue(a)), appendKeyValue(nil, stringValue(b))
		if got, want := bytes.Compare(ka, kb), cmp.Compare(a, b); got != want {
			t.Fatalf("%q and %q compare as %d, want %d", a, b, got, want)
		}
		if a != b && bytes.HasPrefix(append(kb, tail...), ka) {
			t.Fatalf("the key of %q runs into that of %q", a, b)
		}
	})
}

// genValue draws values of every type, nested a little.
func genValue(depth int) *rapid.Generator[value] {
	return rapid.Custom(func(t *rapid.T) value {
		kinds := []kind{kindS, kindN, kindB, kindBool, kindNull, kindSS, kindNS, kindBS}
		if depth > 0 {
			kinds = append(kinds, kindList, kindMap)
		}
		v := value{kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
		switch v.kind {
		case kindBool:
			v.bool = rapid.Bool().Draw(t, "bool")
		case kindN:
			v.text, _ = canonicalNumber(genNumber.Draw(t, "number"))
		case kindS, kindB:
			v.text = rapid.String().Draw(t, "text")
		case kindSS, kindBS:
			v, _ = makeSet(v.kind, rapid.SliceOfNDistinct(rapid.String(), 1, 4, rapid.ID).Draw(t, "set"))
		case kindNS:
			v = value{kind: kindNS, set: []string{"-1", "2.5"}}
		case kindList:
			v.list = rapid.SliceOfN(genValue(depth-1), 0, 3).Draw(t, "list")
		case kindMap:
			v.m = genItem(depth-1).Draw(t, "map")
		default: // the rest goes on below
		}
		return v
	})
}

func genItem(depth int) *rapid.Generator[item] {
	return rapid.Map(rapid.MapOfN(rapid.String(), genValue(depth), 0, 4), func(m map[string]value) item { return m })
}

func TestItemsRoundTripThroughDiskAndJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		it := genItem(3).Draw(t, "item")
		back, err := decodeItem(encodeItem(it))
		if err != nil || !it.equal(back) {
			t.Fatalf("disk: %v, %v", back, err)
		}
		r := &reader{data: appendItemJSON(nil, it)}
		back, err = r.item()
		if err != nil || !it.equal(back) {
			t.Fatalf("JSON: %s: %v, %v", r.data, back, err)
		}
	})
}

// TestQueriesAgreeWithAModel puts and deletes at random, and compares pages of
// queries, of the table and of an index, with a sorted list.
func TestQueriesAgreeWithAModel(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tables.db")
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		name := fmt.Sprintf("model-%d", round)
		if err := s.EnsureTable(modelTable(name)); err != nil {
			t.Fatal(err)
		}
		m := &model{t: t, s: s, table: name, items: map[string]item{}}
		t.Repeat(map[string]func(*rapid.T){"put": m.put, "delete": m.delete, "query": m.query})
	})
}

func modelTable(name string) TableDefinition {
	return TableDefinition{
		TableName: name, BillingMode: billingOnDemand,
		AttributeDefinitions:   []AttributeDefinition{{"pk", "S"}, {"sk", "N"}, {"g", "S"}},
		KeySchema:              []KeySchemaElement{{"pk", "HASH"}, {"sk", "RANGE"}},
		GlobalSecondaryIndexes: []IndexDefinition{{IndexName: "by-g", KeySchema: []KeySchemaElement{{"g", "HASH"}, {"sk", "RANGE"}}, Projection: Projection{ProjectionType: projectAll}}},
	}
}

type model struct {
	t     *rapid.T
	s     *Server
	table string
	items map[string]item
}

var (
	genPart = rapid.SampledFrom([]string{"a", "b", "a\x00"})
	genSort = rapid.Map(rapid.IntRange(-12, 12), func(n int) string {
		text, _ := canonicalNumber(fmt.Sprintf("%de-1", n*5))
		return text
	})
)

func (m *model) key(t *rapid.T) (item, string) {
	k := item{"pk": stringValue(genPart.Draw(t, "pk")), "sk": {kind: kindN, text: genSort.Draw(t, "sk")}}
	return k, k["pk"].text + "/" + k["sk"].text
}

func (m *model) put(t *rapid.T) {
	it, id := m.key(t)
	if rapid.Bool().Draw(t, "indexed") {
		it["g"] = stringValue(genPart.Draw(t, "g"))
	}
	if _, err := m.s.putItem(&request{table: m.table, item: it}); err != nil {
		t.Fatal(err)
	}
	m.items[id] = it
}

func (m *model) delete(t *rapid.T) {
	key, id := m.key(t)
	if _, err := m.s.deleteItem(&request{table: m.table, key: key}); err != nil {
		t.Fatal(err)
	}
	delete(m.items, id)
}

func (m *model) query(t *rapid.T) {
	hash, index := "pk", ""
	if rapid.Bool().Draw(t, "of the index") {
		hash, index = "g", "by-g"
	}
	part, low, high := genPart.Draw(t, "part"), genSort.Draw(t, "low"), genSort.Draw(t, "high")
	if compareNumbers(low, high) > 0 {
		low, high = high, low
	}
	backward, limit := rapid.Bool().Draw(t, "backward"), rapid.IntRange(1, 5).Draw(t, "limit")
	var want []string
	for id, it := range m.items {
		if v, found := it[hash]; found && v.text == part && compareNumbers(it["sk"].text, low) >= 0 && compareNumbers(it["sk"].text, high) <= 0 {
			want = append(want, id)
		}
	}
	slices.SortFunc(want, func(a, b string) int {
		return cmp.Or(compareNumbers(m.items[a]["sk"].text, m.items[b]["sk"].text), cmp.Compare(a, b))
	})
	if backward {
		slices.Reverse(want)
	}
	got := m.pages(t, hash, index, part, low, high, backward, limit)
	// Equal index keys may be in any order: compare what is there, and that the sort keys are in order.
	slices.Sort(want)
	slices.Sort(got)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
}

// pages runs the query page by page, and checks the order of the sort keys.
func (m *model) pages(t *rapid.T, hash, index, part, low, high string, backward bool, limit int) []string {
	condition := hash + " = :p AND sk BETWEEN :l AND :h"
	var got []string
	last := ""
	var start item
	for {
		values := map[string]value{":p": stringValue(part), ":l": {kind: kindN, text: low}, ":h": {kind: kindN, text: high}}
		q := &request{table: m.table, index: index, keyCond: &condition, values: values, backward: backward, limit: &limit, start: start}
		answer, err := m.s.query(q)
		if err != nil {
			t.Fatal(err)
		}
		items, next := readPage(t, answer)
		for _, it := range items {
			sk := it["sk"].text
			if last != "" && (compareNumbers(sk, last) < 0) != backward && sk != last {
				t.Fatalf("%s comes after %s", sk, last)
			}
			last = sk
			got = append(got, it["pk"].text+"/"+sk)
		}
		if start = next; start == nil {
			return got
		}
	}
}

func readPage(t *rapid.T, answer []byte) (items []item, last item) {
	r := &reader{data: answer}
	err := r.object(func(name string) (err error) {
		switch name {
		case "Items":
			return r.array(func() error {
				it, err := r.item()
				items = append(items, it)
				return err
			})
		case "LastEvaluatedKey":
			last, err = r.item()
			return err
		}
		return r.skip()
	})
	if err != nil {
		t.Fatal(err)
	}
	return items, last
}
