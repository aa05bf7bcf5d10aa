package dynamodbtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// fill puts items -2 to 5 into the case's partition; g is the same for all but
// the last, which has none; l falls as sk rises.
func (c *tester) fill() {
	c.t.Helper()
	for i := -2; i <= 5; i++ {
		it := M{"pk": c.pk, "sk": i, "g": c.pk, "l": fmt.Sprintf("L%02d", 9-i), "x": i, "y": "y"}
		if i == 5 {
			delete(it, "g")
		}
		c.put(c.wide(), it)
	}
}

// query runs a query with :p as the partition, and gives the sort keys.
func (c *tester) query(in *dynamodb.QueryInput, values M) (*dynamodb.QueryOutput, []int, error) {
	c.t.Helper()
	if in.TableName == nil {
		in.TableName = c.wide()
	}
	all := M{":p": c.pk}
	maps.Copy(all, values)
	in.ExpressionAttributeValues = all.attributes()
	out, err := c.client.Query(c.ctx(), in)
	if err != nil {
		return nil, nil, err
	}
	return out, sortKeys(out.Items), nil
}

func sortKeys(items []map[string]types.AttributeValue) []int {
	var found []int
	for _, it := range fromList(items) {
		sk, _ := it["sk"].(int)
		found = append(found, sk)
	}
	return found
}

func (s *suite) queries(t *testing.T) {
	for _, c := range []struct {
		name   string
		in     dynamodb.QueryInput
		key    string
		filter string
		values M
		want   []int
	}{
		{name: "a query gives a partition in the order of its numbers", key: "pk = :p", want: []int{-2, -1, 0, 1, 2, 3, 4, 5}},
		{name: "a query backward gives the reverse", key: "pk = :p", in: dynamodb.QueryInput{ScanIndexForward: aws.Bool(false)}, want: []int{5, 4, 3, 2, 1, 0, -1, -2}},
		{name: "a query by equality gives one", key: "pk = :p AND sk = :s", values: M{":s": 3}, want: []int{3}},
		{name: "a query by less", key: "pk = :p AND sk < :s", values: M{":s": 0}, want: []int{-2, -1}},
		{name: "a query by at most", key: "pk = :p AND sk <= :s", values: M{":s": 0}, want: []int{-2, -1, 0}},
		{name: "a query by more", key: "pk = :p AND sk > :s", values: M{":s": 3}, want: []int{4, 5}},
		{name: "a query by at least", key: "pk = :p AND sk >= :s", values: M{":s": 3}, want: []int{3, 4, 5}},
		{name: "a query by a range", key: "pk = :p AND sk BETWEEN :s AND :t", values: M{":s": -1, ":t": N("1.5")}, want: []int{-1, 0, 1}},
		{name: "a query by a range backward", key: "pk = :p AND sk BETWEEN :s AND :t", values: M{":s": -1, ":t": 1}, in: dynamodb.QueryInput{ScanIndexForward: aws.Bool(false)}, want: []int{1, 0, -1}},
		{name: "the sort condition may come first, and turned round", key: ":s < sk AND :p = pk", values: M{":s": 3}, want: []int{4, 5}},
		{name: "the conditions may be in parentheses", key: "(pk = :p) AND (sk > :s)", values: M{":s": 3}, want: []int{4, 5}},
		{name: "a filter leaves items out", key: "pk = :p", filter: "x > :f", values: M{":f": 2}, want: []int{3, 4, 5}},
		{name: "a query of a local index is in its order", key: "pk = :p", in: dynamodb.QueryInput{IndexName: aws.String("by-l")}, want: []int{5, 4, 3, 2, 1, 0, -1, -2}},
		{name: "a query of a local index by a prefix", key: "pk = :p AND begins_with(l, :s)", values: M{":s": "L1"}, in: dynamodb.QueryInput{IndexName: aws.String("by-l")}, want: []int{-1, -2}},
		{name: "a query of a local index may be consistent", key: "pk = :p AND l = :s", values: M{":s": "L09"}, in: dynamodb.QueryInput{IndexName: aws.String("by-l"), ConsistentRead: aws.Bool(true)}, want: []int{0}},
		{name: "a query of a global index leaves out items without its key", key: "g = :p", in: dynamodb.QueryInput{IndexName: aws.String("by-g")}, want: []int{-2, -1, 0, 1, 2, 3, 4}},
		{name: "a query of a global index by its sort key", key: "g = :p AND sk > :s", values: M{":s": 2}, in: dynamodb.QueryInput{IndexName: aws.String("by-g")}, want: []int{3, 4}},
	} {
		s.run(t, c.name, func(t *testing.T, x *tester) {
			x.fill()
			in := c.in
			in.KeyConditionExpression = &c.key
			if c.filter != "" {
				in.FilterExpression = &c.filter
			}
			out, got, err := x.query(&in, c.values)
			x.ok(err)
			x.same("the sort keys", c.want, got)
			if int(out.Count) != len(c.want) {
				t.Errorf("count is %d", out.Count)
			}
		})
	}
	s.queryShapes(t)
	s.queryPages(t)
	s.queryErrors(t)
}

func (s *suite) queryShapes(t *testing.T) {
	s.run(t, "a count gives no items", func(t *testing.T, x *tester) {
		x.fill()
		out, _, err := x.query(&dynamodb.QueryInput{KeyConditionExpression: aws.String("pk = :p"), FilterExpression: aws.String("x > :f"), Select: types.SelectCount}, M{":f": 2})
		x.ok(err)
		if out.Count != 3 || out.ScannedCount != 8 || out.Items != nil {
			t.Errorf("count %d, scanned %d, items %v", out.Count, out.ScannedCount, out.Items)
		}
	})
	for _, c := range []struct {
		name   string
		index  string
		key    string
		choose types.Select
		fields string
		want   M
	}{
		{name: "an index of keys shows keys only", index: "by-g", key: "g = :p AND sk = :s", want: M{"pk": "", "sk": 1, "g": ""}},
		{name: "an index of all shows all", index: "all-by-g", key: "g = :p", want: M{"pk": "", "sk": -2, "g": "", "l": "L11", "x": -2, "y": "y"}},
		{name: "an index that includes shows that", index: "by-l", key: "pk = :p AND l = :l", want: M{"pk": "", "sk": 1, "l": "L08", "x": 1}},
		{name: "a local index fetches all attributes where asked", index: "by-l", key: "pk = :p AND l = :l", choose: types.SelectAllAttributes, want: M{"pk": "", "sk": 1, "g": "", "l": "L08", "x": 1, "y": "y"}},
		{name: "a local index fetches what a projection names", index: "by-l", key: "pk = :p AND l = :l", fields: "y", want: M{"y": "y"}},
	} {
		s.run(t, c.name, func(t *testing.T, x *tester) {
			x.fill()
			for _, name := range []string{"pk", "g"} {
				if _, found := c.want[name]; found {
					c.want[name] = x.pk
				}
			}
			values := M{}
			if strings.Contains(c.key, ":s") {
				values[":s"] = 1
			}
			if strings.Contains(c.key, ":l") {
				values[":l"] = "L08"
			}
			in := &dynamodb.QueryInput{IndexName: &c.index, KeyConditionExpression: &c.key, Select: c.choose}
			if c.fields != "" {
				in.ProjectionExpression = &c.fields
			}
			out, _, err := x.query(in, values)
			x.ok(err)
			if len(out.Items) == 0 {
				t.Fatal("nothing was found")
			}
			if c.index == "all-by-g" { // it has no sort key, so any may come first
				x.same("the number of items", 7, len(out.Items))
				for _, it := range fromList(out.Items) {
					if it["sk"] == -2 {
						x.same("the item", c.want, it)
					}
				}
				return
			}
			x.same("the item", c.want, fromAttributes(out.Items[0]))
		})
	}
	s.run(t, "an update moves an item within its indexes", func(_ *testing.T, x *tester) {
		x.fill()
		_, err := x.client.UpdateItem(x.ctx(), &dynamodb.UpdateItemInput{
			TableName: x.wide(), Key: M{"pk": x.pk, "sk": 3}.attributes(), UpdateExpression: aws.String("REMOVE g SET l = :l"), ExpressionAttributeValues: M{":l": "A"}.attributes(),
		})
		x.ok(err)
		_, byG, err := x.query(&dynamodb.QueryInput{IndexName: aws.String("by-g"), KeyConditionExpression: aws.String("g = :p")}, nil)
		x.ok(err)
		x.same("by g", []int{-2, -1, 0, 1, 2, 4}, byG)
		_, byL, err := x.query(&dynamodb.QueryInput{IndexName: aws.String("by-l"), KeyConditionExpression: aws.String("pk = :p"), Limit: aws.Int32(1)}, nil)
		x.ok(err)
		x.same("by l", []int{3}, byL)
	})
	s.run(t, "bytes sort as bytes and prefixes do not run over", func(_ *testing.T, x *tester) {
		for _, l := range []string{"a", "a\x00", "a\x00\x01", "ab", "b", "a\u00ff"} {
			x.put(x.wide(), M{"pk": x.pk, "sk": len(l)*1000 + int(l[len(l)-1]), "l": l})
		}
		out, _, err := x.query(&dynamodb.QueryInput{IndexName: aws.String("by-l"), KeyConditionExpression: aws.String("pk = :p AND begins_with(l, :l)")}, M{":l": "a"})
		x.ok(err)
		var got []string
		for _, it := range fromList(out.Items) {
			l, _ := it["l"].(string)
			got = append(got, l)
		}
		x.same("the order", []string{"a", "a\x00", "a\x00\x01", "ab", "a\u00ff"}, got)
	})
}

func (s *suite) queryPages(t *testing.T) {
	for _, index := range []string{"", "by-g", "all-by-g", "by-l"} {
		for _, forward := range []bool{true, false} {
			s.run(t, fmt.Sprintf("pages of index %q join without gap or repetition, forward %t", index, forward), func(t *testing.T, x *tester) {
				x.fill()
				in := &dynamodb.QueryInput{KeyConditionExpression: aws.String("pk = :p"), Limit: aws.Int32(3), ScanIndexForward: &forward}
				if index != "" {
					in.IndexName = &index
				}
				if strings.HasSuffix(index, "by-g") {
					in.KeyConditionExpression = aws.String("g = :p")
				}
				var got []int
				for range 10 {
					out, page, err := x.query(in, nil)
					x.ok(err)
					got = append(got, page...)
					if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
						break
					}
				}
				in.Limit = nil
				in.ExclusiveStartKey = nil
				_, want, err := x.query(in, nil)
				x.ok(err)
				x.same("the sort keys", want, got)
				if len(want) < 7 {
					t.Errorf("only %d found", len(want))
				}
			})
		}
	}
	s.run(t, "a last evaluated key has the keys of table and index", func(_ *testing.T, x *tester) {
		x.fill()
		out, _, err := x.query(&dynamodb.QueryInput{IndexName: aws.String("by-l"), KeyConditionExpression: aws.String("pk = :p"), Limit: aws.Int32(2)}, nil)
		x.ok(err)
		x.same("the key", M{"pk": x.pk, "sk": 4, "l": "L05"}, fromAttributes(out.LastEvaluatedKey))
	})
	s.run(t, "a limit is of items looked at, not of those that pass the filter", func(t *testing.T, x *tester) {
		x.fill()
		out, got, err := x.query(&dynamodb.QueryInput{KeyConditionExpression: aws.String("pk = :p"), FilterExpression: aws.String("x >= :f"), Limit: aws.Int32(3)}, M{":f": 0})
		x.ok(err)
		x.same("the sort keys", []int{0}, got)
		if out.ScannedCount != 3 || out.LastEvaluatedKey == nil {
			t.Errorf("scanned %d, last %v", out.ScannedCount, out.LastEvaluatedKey)
		}
	})
	s.run(t, "a limit that is met exactly still gives a last evaluated key", func(t *testing.T, x *tester) {
		x.put(x.simple(), M{"pk": x.pk})
		out, _, err := x.query(&dynamodb.QueryInput{TableName: x.simple(), KeyConditionExpression: aws.String("pk = :p"), Limit: aws.Int32(1)}, nil)
		x.ok(err)
		if out.LastEvaluatedKey == nil {
			t.Error("there is none")
		}
	})
	s.run(t, "a page ends at a megabyte", func(t *testing.T, x *tester) {
		for i := range 12 {
			x.put(x.wide(), M{"pk": x.pk, "sk": i, "x": strings.Repeat("x", 100<<10)})
		}
		out, got, err := x.query(&dynamodb.QueryInput{KeyConditionExpression: aws.String("pk = :p")}, nil)
		x.ok(err)
		x.same("the sort keys", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, got)
		x.same("the last evaluated key", M{"pk": x.pk, "sk": 10}, fromAttributes(out.LastEvaluatedKey))
	})
}

func (s *suite) queryErrors(t *testing.T) {
	for _, c := range []struct {
		name      string
		in        dynamodb.QueryInput
		key       string
		values    M
		says, aws string
	}{
		{name: "a query must name the partition key", key: "sk = :p", says: "Query condition missed key schema element"},
		{name: "a query by another attribute is refused", key: "pk = :p AND x = :v", values: M{":v": 1}, says: "Query condition missed key schema element"},
		{name: "a query by part of the partition keys is refused", key: "pk < :p", says: "Query key condition not supported"},
		{name: "a query with OR is refused", key: "pk = :p OR sk = :v", values: M{":v": 1}, says: "Invalid operator used in KeyConditionExpression: OR"},
		{name: "a query with NOT is refused", key: "NOT pk = :p", says: "Invalid operator used in KeyConditionExpression: NOT"},
		{name: "a query with unequal is refused", key: "pk = :p AND sk <> :v", values: M{":v": 1}, says: "Invalid operator used in KeyConditionExpression: <>"},
		{name: "a query with contains is refused", key: "pk = :p AND contains(sk, :v)", values: M{":v": 1}, says: "Invalid operator used in KeyConditionExpression: contains"},
		{name: "a query with two conditions on a key is refused", key: "pk = :p AND sk > :v AND sk < :v", values: M{":v": 1}, says: "KeyConditionExpressions must only contain one condition per key"},
		{name: "a query by a path is refused", key: "pk.a = :p", says: "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: pk"},
		{name: "a query with a value of another type is refused", key: "pk = :p AND sk = :v", values: M{":v": "1"}, says: "Condition parameter type does not match schema type"},
		{name: "a query by a prefix of a number is refused", key: "pk = :p AND begins_with(sk, :v)", values: M{":v": 1}, says: "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
		{name: "a query with a range turned round is refused", key: "pk = :p AND sk BETWEEN :v AND :w", values: M{":v": 2, ":w": 1}, says: "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}"},
		{name: "a query of an index that is not there is refused", key: "pk = :p", in: dynamodb.QueryInput{IndexName: aws.String("not-there")}, says: "The table does not have the specified index: not-there"},
		{name: "a consistent query of a global index is refused", key: "g = :p", in: dynamodb.QueryInput{IndexName: aws.String("by-g"), ConsistentRead: aws.Bool(true)}, aws: "Consistent reads are not supported on global secondary indexes"},
		{name: "a query of all attributes of an index that has not all is refused", key: "g = :p", in: dynamodb.QueryInput{IndexName: aws.String("by-g"), Select: types.SelectAllAttributes}, says: "Select type ALL_ATTRIBUTES is not supported for global secondary index by-g because its projection type is not ALL"},
		{name: "a query of what a global index does not show is refused", key: "g = :p", in: dynamodb.QueryInput{IndexName: aws.String("by-g"), ProjectionExpression: aws.String("y")}, says: "Global secondary index by-g does not project [y]"},
		{name: "a filter on a key is refused", key: "pk = :p", in: dynamodb.QueryInput{FilterExpression: aws.String("attribute_exists(sk)")}, says: "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"},
		{name: "a limit of nought is refused", key: "pk = :p", in: dynamodb.QueryInput{Limit: aws.Int32(0)}, says: "greater than or equal to 1"},
		{name: "a count with a projection is refused", key: "pk = :p", in: dynamodb.QueryInput{Select: types.SelectCount, ProjectionExpression: aws.String("x")}, says: "Cannot specify the ProjectionExpression when choosing to get only the Count"},
		{name: "specific attributes need a projection", key: "pk = :p", in: dynamodb.QueryInput{Select: types.SelectSpecificAttributes}, says: "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"},
		{name: "projected attributes need an index", key: "pk = :p", in: dynamodb.QueryInput{Select: types.SelectAllProjectedAttributes}, says: "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"},
		{name: "a start without the whole key is refused", key: "pk = :p", in: dynamodb.QueryInput{ExclusiveStartKey: M{"pk": "x"}.attributes()}, aws: "The provided starting key is invalid"},
		{name: "a start in another partition is refused", key: "pk = :p", in: dynamodb.QueryInput{ExclusiveStartKey: M{"pk": "x", "sk": 1}.attributes()}, aws: "The provided starting key is outside query boundaries based on provided conditions"},
	} {
		s.run(t, c.name, func(_ *testing.T, x *tester) {
			in := c.in
			in.KeyConditionExpression = &c.key
			_, _, err := x.query(&in, c.values)
			if c.aws != "" {
				x.failsAsAWS(err, "ValidationException", c.aws)
				return
			}
			x.fails(err, "ValidationException", c.says)
		})
	}
}

func (s *suite) scans(t *testing.T) {
	s.run(t, "a scan by pages finds every item once", func(_ *testing.T, x *tester) {
		x.fill()
		in := &dynamodb.ScanInput{TableName: x.wide(), FilterExpression: aws.String("pk = :p"), ExpressionAttributeValues: M{":p": x.pk}.attributes(), Limit: aws.Int32(7)}
		var got []int
		pages := dynamodb.NewScanPaginator(x.client, in)
		for pages.HasMorePages() {
			out, err := pages.NextPage(x.ctx())
			x.ok(err)
			got = append(got, sortKeys(out.Items)...)
		}
		slices.Sort(got)
		x.same("the sort keys", []int{-2, -1, 0, 1, 2, 3, 4, 5}, got)
	})
	s.run(t, "the segments of a scan divide the table", func(_ *testing.T, x *tester) {
		for i := range 12 {
			x.put(x.simple(), M{"pk": fmt.Sprintf("%s/%d", x.pk, i), "who": x.pk, "sk": i})
		}
		var got []int
		for segment := range 4 {
			in := &dynamodb.ScanInput{TableName: x.simple(), Segment: aws.Int32(int32(segment)), TotalSegments: aws.Int32(4), FilterExpression: aws.String("who = :p"), ExpressionAttributeValues: M{":p": x.pk}.attributes()}
			pages := dynamodb.NewScanPaginator(x.client, in)
			for pages.HasMorePages() {
				out, err := pages.NextPage(x.ctx())
				x.ok(err)
				got = append(got, sortKeys(out.Items)...)
			}
		}
		slices.Sort(got)
		x.same("the items", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, got)
	})
	s.run(t, "a scan of an index finds what is in it", func(t *testing.T, x *tester) {
		x.fill()
		in := &dynamodb.ScanInput{TableName: x.wide(), IndexName: aws.String("by-g"), FilterExpression: aws.String("g = :p"), ExpressionAttributeValues: M{":p": x.pk}.attributes(), Select: types.SelectCount}
		n := int32(0)
		pages := dynamodb.NewScanPaginator(x.client, in)
		for pages.HasMorePages() {
			out, err := pages.NextPage(x.ctx())
			x.ok(err)
			n += out.Count
		}
		if n != 7 {
			t.Errorf("found %d", n)
		}
	})
	for name, in := range map[string]*dynamodb.ScanInput{
		"a segment needs the total":                      {Segment: aws.Int32(0)},
		"a total needs the segment":                      {TotalSegments: aws.Int32(2)},
		"a segment must be less than the total":          {Segment: aws.Int32(2), TotalSegments: aws.Int32(2)},
		"a consistent scan of a global index is refused": {IndexName: aws.String("by-g"), ConsistentRead: aws.Bool(true)},
	} {
		s.run(t, name, func(_ *testing.T, x *tester) {
			in.TableName = x.wide()
			_, err := x.client.Scan(x.ctx(), in)
			x.fails(err, "ValidationException", "")
		})
	}
}
