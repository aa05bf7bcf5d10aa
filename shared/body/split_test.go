package body_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"pushpull/shared/config"
)

func each(paths ...string) config.Body { return config.Body{Each: paths} }

// What no path leads to is an event as well, where the paths lead to others beside it.
func TestWhatNoPathLeadsToIsKept(t *testing.T) {
	of := func(root, parent, data string) part { return part{data, jsonType, data, root, parent} }
	two := `{"a":[{"b":[{"c":[1]},{"d":2}]},{"e":3}]}`
	deep := `{"a":[{"b":[{"c":[{"x":[1]},{"y":2}]}]}]}`
	object := `{"a":{"b":[{"c":[1]},{"d":2}]}}`
	alone := `{"a":{"d":1},"z":[2]}`
	several := `{"a":[{"b":[{"c":[1]},{"x":2}],"n":[{"m":[3]},{"y":4}]}]}`
	mixed := `{"a":[{"b":[[1],5,null,{"c":[]}]}]}`
	run(t, []reading{
		{"an element of an inner array, and one of the outer", each("a[].b[].c"), jsonType, two, []part{
			of(two, `{"c":[1]}`, `1`), of(two, `{"b":[{"c":[1]},{"d":2}]}`, `{"d":2}`), of(two, two, `{"e":3}`),
		}, ""},
		{"an element three arrays deep", each("a[].b[].c[].x"), jsonType, deep, []part{
			of(deep, `{"x":[1]}`, `1`), of(deep, `{"c":[{"x":[1]},{"y":2}]}`, `{"y":2}`),
		}, ""},
		{"an element below an object that stands for an array", each("a[].b[].c"), jsonType, object, []part{
			of(object, `{"c":[1]}`, `1`), of(object, `{"b":[{"c":[1]},{"d":2}]}`, `{"d":2}`),
		}, ""},
		{"an object that stands for an array of one", each("a[].b", "z"), jsonType, alone, []part{
			of(alone, alone, `2`), of(alone, alone, `{"d":1}`),
		}, ""},
		{"elements of several inner arrays", each("a[].b[].c", "a[].n[].m"), jsonType, several, []part{
			of(several, `{"c":[1]}`, `1`), of(several, `{"m":[3]}`, `3`),
			of(several, `{"b":[{"c":[1]},{"x":2}],"n":[{"m":[3]},{"y":4}]}`, `{"x":2}`),
			of(several, `{"b":[{"c":[1]},{"x":2}],"n":[{"m":[3]},{"y":4}]}`, `{"y":4}`),
		}, ""},
		{"what is no object", each("a[].b[].c"), jsonType, mixed, []part{
			of(mixed, `{"b":[[1],5,null,{"c":[]}]}`, `[1]`), of(mixed, `{"b":[[1],5,null,{"c":[]}]}`, `5`), of(mixed, `{"b":[[1],5,null,{"c":[]}]}`, `null`),
		}, ""},
		{"nothing beside what a shorter path has whole", each("a[].b", "a[].b[].c"), jsonType, `{"a":[{"b":[{"d":1}]}]}`, []part{
			of(`{"a":[{"b":[{"d":1}]}]}`, `{"b":[{"d":1}]}`, `{"d":1}`),
		}, ""},
	})
}

func TestEachElementIsAnEvent(t *testing.T) {
	const (
		meta = `{"object":"page","entry":[{"id":"p1","changes":[{"v":1},{"v":2}]},{"id":"p2","messaging":[{"v":3}],"changes":[]}]}`
		p1   = `{"id":"p1","changes":[{"v":1},{"v":2}]}`
		p2   = `{"id":"p2","messaging":[{"v":3}],"changes":[]}`
		ad   = `{"live":"false","notificationItems":[{"NotificationRequestItem":{"psp":"8"}}]}`
	)
	run(t, []reading{
		{"an array under a name", each("events"), jsonType, `{"events": [ {"a":1} , {"a":2} ]}`, []part{
			{`{"a":1}`, jsonType, `{"a":1}`, `{"events": [ {"a":1} , {"a":2} ]}`, `{"events": [ {"a":1} , {"a":2} ]}`},
			{`{"a":2}`, jsonType, `{"a":2}`, `{"events": [ {"a":1} , {"a":2} ]}`, `{"events": [ {"a":1} , {"a":2} ]}`},
		}, ""},
		{"its own brackets may be written", each("events[]"), jsonType, `{"events":[1]}`, []part{{`1`, jsonType, `1`, `{"events":[1]}`, `{"events":[1]}`}}, ""},
		{"the body is the array", each("[]"), "application/cloudevents-batch+json", `[{"a":1}]`, []part{{`{"a":1}`, jsonType, `{"a":1}`, `[{"a":1}]`, `[{"a":1}]`}}, ""},
		{"an array in an object in an object", each("data.events"), jsonType, `{"data":{"events":["x"]}}`, []part{{`"x"`, jsonType, `"x"`, `{"data":{"events":["x"]}}`, `{"data":{"events":["x"]}}`}}, ""},
		{"an array in each element, by several paths in their order", each("entry[].messaging", "entry[].changes"), jsonType, meta, []part{
			{`{"v":3}`, jsonType, `{"v":3}`, meta, p2},
			{`{"v":1}`, jsonType, `{"v":1}`, meta, p1},
			{`{"v":2}`, jsonType, `{"v":2}`, meta, p1},
		}, ""},
		{"an object in each element", each("notificationItems[].NotificationRequestItem"), jsonType, ad, []part{
			{`{"psp":"8"}`, jsonType, `{"psp":"8"}`, ad, `{"NotificationRequestItem":{"psp":"8"}}`},
		}, ""},
		{"an object stands for an array of one", each("a.b"), jsonType, `{"a":{"b":{"c":1}}}`, []part{{`{"c":1}`, jsonType, `{"c":1}`, `{"a":{"b":{"c":1}}}`, `{"a":{"b":{"c":1}}}`}}, ""},
		{"and in the middle too", each("a[].b"), jsonType, `{"a":{"b":[1]}}`, []part{{`1`, jsonType, `1`, `{"a":{"b":[1]}}`, `{"b":[1]}`}}, ""},
		{"an array of arrays", each("a[][]"), jsonType, `{"a":[[1,2],[3]]}`, []part{
			{`1`, jsonType, `1`, `{"a":[[1,2],[3]]}`, `[1,2]`},
			{`2`, jsonType, `2`, `{"a":[[1,2],[3]]}`, `[1,2]`},
			{`3`, jsonType, `3`, `{"a":[[1,2],[3]]}`, `[3]`},
		}, ""},
		{"an element by its index", each("a.1"), jsonType, `{"a":[[1],[2]]}`, []part{{`2`, jsonType, `2`, `{"a":[[1],[2]]}`, `{"a":[[1],[2]]}`}}, ""},
		{"a dot within a name", each(`a\.b`), jsonType, `{"a.b":[1]}`, []part{{`1`, jsonType, `1`, `{"a.b":[1]}`, `{"a.b":[1]}`}}, ""},
		{"a name that looks like a query is a name", each(`a*`), jsonType, `{"ab":[1],"a*":[2]}`, []part{{`2`, jsonType, `2`, `{"ab":[1],"a*":[2]}`, `{"ab":[1],"a*":[2]}`}}, ""},
		{"a name with brackets in it", each(`data[id]`), jsonType, `{"data[id]":[2]}`, []part{{`2`, jsonType, `2`, `{"data[id]":[2]}`, `{"data[id]":[2]}`}}, ""},
		{"a name that the body escapes", each(`é"`), jsonType, `{"\u00e9\"":[2]}`, []part{{`2`, jsonType, `2`, `{"\u00e9\"":[2]}`, `{"\u00e9\"":[2]}`}}, ""},
		{"of members with the same name the first", each("a"), jsonType, `{"a":[1],"a":[2]}`, []part{{`1`, jsonType, `1`, `{"a":[1],"a":[2]}`, `{"a":[1],"a":[2]}`}}, ""},
		{"an element that is null", each("a"), jsonType, `{"a":[null]}`, []part{{`null`, jsonType, `null`, `{"a":[null]}`, `{"a":[null]}`}}, ""},
		{"brackets and quotes within texts", each("a"), jsonType, `{"x":"]}\\\"","a":["[\\\"{\\", {"b":"]"}]}`, []part{
			{`"[\\\"{\\"`, jsonType, `"[\\\"{\\"`, `{"x":"]}\\\"","a":["[\\\"{\\", {"b":"]"}]}`, `{"x":"]}\\\"","a":["[\\\"{\\", {"b":"]"}]}`},
			{`{"b":"]"}`, jsonType, `{"b":"]"}`, `{"x":"]}\\\"","a":["[\\\"{\\", {"b":"]"}]}`, `{"x":"]}\\\"","a":["[\\\"{\\", {"b":"]"}]}`},
		}, ""},
		{"an empty array is no event", each("events"), jsonType, `{"events":[]}`, nil, ""},
		{"an empty body of an array is no event", each("[]"), jsonType, ` [ ] `, nil, ""},
		{"empty arrays in each element are no event", each("a[].b"), jsonType, `{"a":[{"b":[]}]}`, nil, ""},
		{"without any path there, the body is the event", each("events", "items"), jsonType, `{"id":1}`, one(`{"id":1}`, jsonType, `{"id":1}`), ""},
		{"what is no array is not there", each("events"), jsonType, `{"events":"none"}`, one(`{"events":"none"}`, jsonType, `{"events":"none"}`), ""},
		{"one object where the array was expected is the event", each("[]"), jsonType, `{"id":1}`, one(`{"id":1}`, jsonType, `{"id":1}`), ""},
		{"an element in which no path is there is an event itself", each("entry[].changes", "entry[].messaging"), jsonType, `{"entry":[{"standby":[1]},{"changes":[2]},{"messaging":[]}]}`, []part{
			{`2`, jsonType, `2`, `{"entry":[{"standby":[1]},{"changes":[2]},{"messaging":[]}]}`, `{"changes":[2]}`},
			{`{"standby":[1]}`, jsonType, `{"standby":[1]}`, `{"entry":[{"standby":[1]},{"changes":[2]},{"messaging":[]}]}`, `{"entry":[{"standby":[1]},{"changes":[2]},{"messaging":[]}]}`},
		}, ""},
		{"elements without what is looked for", each("entry[].changes"), jsonType, `{"entry":[{"id":1}]}`, one(`{"entry":[{"id":1}]}`, jsonType, `{"entry":[{"id":1}]}`), ""},
		{"text has no arrays", each("events"), "text/plain", `events`, one(`events`, "text/plain", `{}`), ""},
	})
}

func TestAddPutsInWhatIsAround(t *testing.T) {
	const (
		qb   = `{"id":9,"n":[{"realm":"1","d":{"e":[{"id":"5"},{"id":"6","realm":"mine"}]}},{"realm":"2","d":{"e":[{"id":"7"}]}}]}`
		one1 = `{"realm":"1","d":{"e":[{"id":"5"},{"id":"6","realm":"mine"}]}}`
		two2 = `{"realm":"2","d":{"e":[{"id":"7"}]}}`
	)
	with := func(path string, add map[string]string) config.Body {
		return config.Body{Each: config.Names{path}, Add: add}
	}
	run(t, []reading{
		{
			"members of the parent and the root, unless the element has its own",
			with("n[].d.e", map[string]string{"realm": "parent.realm", "account": "root.id", "no": "root.absent"}), jsonType, qb,
			[]part{
				{`{"id":"5","account":9,"realm":"1"}`, jsonType, `{"id":"5","account":9,"realm":"1"}`, qb, one1},
				{`{"id":"6","realm":"mine","account":9}`, jsonType, `{"id":"6","realm":"mine","account":9}`, qb, one1},
				{`{"id":"7","account":9,"realm":"2"}`, jsonType, `{"id":"7","account":9,"realm":"2"}`, qb, two2},
			},
			"",
		},
		{
			"values as they are written, into an empty object too",
			with("e", map[string]string{"x": "root.x.0.y"}), jsonType, `{"x":[{"y":{"z": 1.0}}],"e":[{ }]}`,
			[]part{{`{ "x":{"z": 1.0}}`, jsonType, `{ "x":{"z": 1.0}}`, `{"x":[{"y":{"z": 1.0}}],"e":[{ }]}`, `{"x":[{"y":{"z": 1.0}}],"e":[{ }]}`}},
			"",
		},
		{
			"elements that are no objects stay",
			with("e", map[string]string{"x": "root.x"}), jsonType, `{"x":1,"e":["a"]}`,
			[]part{{`"a"`, jsonType, `"a"`, `{"x":1,"e":["a"]}`, `{"x":1,"e":["a"]}`}},
			"",
		},
		{
			"a name that must be escaped",
			with("e", map[string]string{`a"b`: "root.x"}), jsonType, `{"x":1,"e":[{"b":2}]}`,
			[]part{{`{"b":2,"a\"b":1}`, jsonType, `{"b":2,"a\"b":1}`, `{"x":1,"e":[{"b":2}]}`, `{"x":1,"e":[{"b":2}]}`}},
			"",
		},
	})
}

func TestWhatIsTooMuchIsOneEvent(t *testing.T) {
	many := "[" + strings.Repeat("1,", 25_000) + "1]"
	large := `{"x":"` + strings.Repeat("x", 1<<20) + `","e":[` + strings.Repeat(`{},`, 100) + `{}]}`
	run(t, []reading{
		{"more elements than 25,000", each("[]"), jsonType, many, one(many, jsonType, many), "elements"},
		{"additions of many times the body", config.Body{Each: config.Names{"e"}, Add: map[string]string{"x": "root.x"}}, jsonType, large, one(large, jsonType, large), "add"},
	})
}

// It is not parallel, because it counts the memory of the whole process.
func TestABatchIsNotCopied(t *testing.T) {
	element := `{"id":"evt_1","text":"` + strings.Repeat("x", 560) + `"},`
	in := []byte(`{"account":"a1","events":[` + strings.Repeat(element, 9_999) + `{}]}`)
	r := reader(t, each("events"))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m := r.Read(in, jsonType)
	runtime.ReadMemStats(&after)
	if len(m.Parts) != 10_000 {
		t.Fatalf("%d parts: %v", len(m.Parts), m.Unreadable)
	}
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d bytes, %d allocated in all", len(in), allocated)
	if allocated > uint64(len(in)) {
		t.Errorf("%d bytes were allocated for a body of %d", allocated, len(in))
	}
}

func TestThePlainCaseAllocatesItsPartAlone(t *testing.T) {
	in := fmt.Appendf(nil, `{"id":"evt_1","text":%q}`, strings.Repeat("x", 5_000))
	r := reader(t, config.Body{})
	if n := testing.AllocsPerRun(100, func() { r.Read(in, "application/json; charset=utf-8") }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
