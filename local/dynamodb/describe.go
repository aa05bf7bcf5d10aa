package dynamodb

import (
	"encoding/json"
	"slices"
	"strings"

	"go.etcd.io/bbolt"
)

// decode reads the body of a call about tables; a field that is not known is
// an error that names it.
func decode(body []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		return nil
	}
	if name, found := strings.CutPrefix(err.Error(), "json: unknown field "); found { // the library has no error value for it
		return invalid("the parameter %s is not known, or not supported by the local endpoint, for this call", strings.Trim(name, `"`))
	}
	return failf(codeSerialization, "the request body is not the JSON of this call: %v", err)
}

type tableDescription struct {
	TableName                 string
	TableArn                  string
	TableId                   string
	TableStatus               string
	CreationDateTime          float64
	AttributeDefinitions      []AttributeDefinition
	KeySchema                 []KeySchemaElement
	ProvisionedThroughput     shownThroughput
	BillingModeSummary        *billingSummary    `json:",omitempty"`
	GlobalSecondaryIndexes    []indexDescription `json:",omitempty"`
	LocalSecondaryIndexes     []indexDescription `json:",omitempty"`
	ItemCount                 int64
	TableSizeBytes            int64
	DeletionProtectionEnabled bool
}

type billingSummary struct {
	BillingMode string
}

type shownThroughput struct {
	NumberOfDecreasesToday int64
	ReadCapacityUnits      int64
	WriteCapacityUnits     int64
}

func showThroughput(t *Throughput) shownThroughput {
	if t == nil {
		return shownThroughput{}
	}
	return shownThroughput{ReadCapacityUnits: t.ReadCapacityUnits, WriteCapacityUnits: t.WriteCapacityUnits}
}

type indexDescription struct {
	IndexName             string
	IndexArn              string
	IndexStatus           string `json:",omitempty"`
	Backfilling           *bool  `json:",omitempty"`
	KeySchema             []KeySchemaElement
	Projection            Projection
	ProvisionedThroughput *shownThroughput `json:",omitempty"`
	ItemCount             int64
	IndexSizeBytes        int64
}

func (s *Server) arn(tableName string) string {
	return "arn:aws:dynamodb:" + s.opts.Region + ":" + s.opts.AccountID + ":table/" + tableName
}

// describe is a table as DescribeTable shows it. The sizes of indexes are not
// counted, and shown as those of the table.
func (s *Server) describe(t *table, status string) (*tableDescription, error) {
	var size stats
	err := s.db.View(func(tx *bbolt.Tx) error {
		size = readStats(tx, t.meta.ID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	d := t.meta.Definition
	out := &tableDescription{
		TableName:                 d.TableName,
		TableArn:                  s.arn(d.TableName),
		TableId:                   t.meta.ID,
		TableStatus:               status,
		CreationDateTime:          float64(t.meta.Created.UnixMilli()) / 1000,
		AttributeDefinitions:      d.AttributeDefinitions,
		KeySchema:                 d.KeySchema,
		ProvisionedThroughput:     showThroughput(d.ProvisionedThroughput),
		ItemCount:                 size.items,
		TableSizeBytes:            size.bytes,
		DeletionProtectionEnabled: d.DeletionProtectionEnabled,
	}
	if d.BillingMode == billingOnDemand {
		out.BillingModeSummary = &billingSummary{BillingMode: billingOnDemand}
	}
	for _, x := range d.GlobalSecondaryIndexes {
		out.GlobalSecondaryIndexes = append(out.GlobalSecondaryIndexes, s.describeIndex(t, x, true, size))
	}
	for _, x := range d.LocalSecondaryIndexes {
		out.LocalSecondaryIndexes = append(out.LocalSecondaryIndexes, s.describeIndex(t, x, false, size))
	}
	return out, nil
}

func (s *Server) describeIndex(t *table, x IndexDefinition, global bool, size stats) indexDescription {
	out := indexDescription{
		IndexName:      x.IndexName,
		IndexArn:       s.arn(t.name()) + "/index/" + x.IndexName,
		KeySchema:      x.KeySchema,
		Projection:     x.Projection,
		ItemCount:      size.items,
		IndexSizeBytes: size.bytes,
	}
	if !global {
		return out
	}
	throughput := showThroughput(x.ProvisionedThroughput)
	out.ProvisionedThroughput = &throughput
	out.IndexStatus = "ACTIVE"
	if slices.Contains(t.meta.Building, x.IndexName) {
		out.IndexStatus = "CREATING"
		building := true
		out.Backfilling = &building
	}
	return out
}

func (s *Server) describeTable(body []byte) (any, error) {
	t, err := s.decodeTable(body)
	if err != nil {
		return nil, err
	}
	d, err := s.describe(t, "ACTIVE")
	return map[string]any{"Table": d}, err
}

// decodeTable reads a request that has a table's name and nothing else.
func (s *Server) decodeTable(body []byte) (*table, error) {
	var q struct{ TableName string }
	if err := decode(body, &q); err != nil {
		return nil, err
	}
	return s.namedTable(q.TableName)
}

func (s *Server) namedTable(name string) (*table, error) {
	if name == "" {
		return nil, missingMember("tableName")
	}
	name = nameOf(name)
	if err := checkName("tableName", name); err != nil {
		return nil, err
	}
	t, err := s.table(name)
	if err != nil {
		return nil, namedTableNotFound(name)
	}
	return t, nil
}

func (s *Server) listTables(body []byte) (any, error) {
	q := struct {
		ExclusiveStartTableName string
		Limit                   *int
	}{}
	if err := decode(body, &q); err != nil {
		return nil, err
	}
	limit := 100
	if q.Limit != nil {
		if err := checkRange("limit", *q.Limit, 1, 100); err != nil {
			return nil, err
		}
		limit = *q.Limit
	}
	answer := struct {
		TableNames             []string
		LastEvaluatedTableName string `json:",omitempty"`
	}{TableNames: []string{}}
	for _, name := range s.tableNames() {
		if name <= q.ExclusiveStartTableName {
			continue
		}
		if len(answer.TableNames) == limit {
			answer.LastEvaluatedTableName = answer.TableNames[limit-1]
			break
		}
		answer.TableNames = append(answer.TableNames, name)
	}
	return answer, nil
}

func (s *Server) tableNames() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := make([]string, 0, len(s.tables))
	for name := range s.tables {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// describeContinuousBackups says that there are none.
func (s *Server) describeContinuousBackups(body []byte) (any, error) {
	if _, err := s.decodeTable(body); err != nil {
		return nil, err
	}
	return map[string]any{"ContinuousBackupsDescription": map[string]any{
		"ContinuousBackupsStatus":        "DISABLED",
		"PointInTimeRecoveryDescription": map[string]any{"PointInTimeRecoveryStatus": "DISABLED"},
	}}, nil
}

// describeLimits gives AWS's defaults; none is enforced.
func (s *Server) describeLimits(body []byte) (any, error) {
	return map[string]int{
		"AccountMaxReadCapacityUnits": 80000, "AccountMaxWriteCapacityUnits": 80000,
		"TableMaxReadCapacityUnits": 40000, "TableMaxWriteCapacityUnits": 40000,
	}, decode(body, &struct{}{})
}

// describeEndpoints tells a client to stay with the endpoint that it has.
func (s *Server) describeEndpoints(body []byte) (any, error) {
	return map[string]any{"Endpoints": []any{
		map[string]any{"Address": "dynamodb." + s.opts.Region + ".amazonaws.com", "CachePeriodInMinutes": 1440},
	}}, decode(body, &struct{}{})
}

func (s *Server) listTags(body []byte) (any, error) {
	var q struct{ ResourceArn, NextToken string }
	if err := decode(body, &q); err != nil {
		return nil, err
	}
	t, err := s.namedTable(q.ResourceArn)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Tags": slices.Concat([]Tag{}, t.meta.Definition.Tags)}, nil
}
