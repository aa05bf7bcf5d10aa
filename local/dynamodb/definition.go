package dynamodb

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A TableDefinition is what a table should be, in the words of CreateTable and
// of AWS::DynamoDB::Table in a template.
type TableDefinition struct {
	TableName                 string
	AttributeDefinitions      []AttributeDefinition
	KeySchema                 []KeySchemaElement
	GlobalSecondaryIndexes    []IndexDefinition        `json:",omitempty"`
	LocalSecondaryIndexes     []IndexDefinition        `json:",omitempty"`
	BillingMode               string                   `json:",omitempty"` // PROVISIONED (the default) or PAY_PER_REQUEST
	ProvisionedThroughput     *Throughput              `json:",omitempty"`
	DeletionProtectionEnabled bool                     `json:",omitempty"`
	TimeToLiveSpecification   *TimeToLiveSpecification `json:",omitempty"`
	Tags                      []Tag                    `json:",omitempty"`
}

// An AttributeDefinition gives the type of a key attribute: S, N or B.
type AttributeDefinition struct {
	AttributeName string
	AttributeType string
}

// A KeySchemaElement gives an attribute its part in a key: HASH or RANGE.
type KeySchemaElement struct {
	AttributeName string
	KeyType       string
}

// An IndexDefinition is a secondary index; ProvisionedThroughput is for global
// ones only.
type IndexDefinition struct {
	IndexName             string
	KeySchema             []KeySchemaElement
	Projection            Projection
	ProvisionedThroughput *Throughput `json:",omitempty"`
}

// A Projection says what of an item an index shows: ALL, KEYS_ONLY or INCLUDE.
type Projection struct {
	ProjectionType   string
	NonKeyAttributes []string `json:",omitempty"`
}

// A Throughput is kept and shown, and never enforced.
type Throughput struct {
	ReadCapacityUnits  int64
	WriteCapacityUnits int64
}

// A TimeToLiveSpecification names the attribute that holds an item's end, in
// seconds since 1970.
type TimeToLiveSpecification struct {
	AttributeName string
	Enabled       bool
}

// A Tag is kept and shown.
type Tag struct {
	Key   string
	Value string
}

const (
	billingProvisioned = "PROVISIONED"
	billingOnDemand    = "PAY_PER_REQUEST"
	projectAll         = "ALL"
	projectKeys        = "KEYS_ONLY"
	projectInclude     = "INCLUDE"
)

var resourceName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)

func checkName(field, name string) error {
	if !resourceName.MatchString(name) {
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+ and have a length of 3 to 255",
			name, field)
	}
	return nil
}

// check refuses a definition that AWS would refuse.
func (d *TableDefinition) check() error {
	if err := checkName("tableName", d.TableName); err != nil {
		return err
	}
	if err := d.checkBilling(); err != nil {
		return err
	}
	for _, a := range d.AttributeDefinitions {
		if !kindNamed(a.AttributeType).isKey() {
			return invalid("1 validation error detected: Value '%s' at 'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: Member must satisfy enum value set: [B, N, S]", a.AttributeType)
		}
	}
	used := map[string]bool{}
	if err := d.checkKeys(d.KeySchema, used); err != nil {
		return err
	}
	if err := d.checkIndexes(used); err != nil {
		return err
	}
	if len(used) != len(d.AttributeDefinitions) {
		return invalidValue("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	return nil
}

func (d *TableDefinition) checkBilling() error {
	switch d.BillingMode {
	case billingOnDemand:
		if d.ProvisionedThroughput != nil {
			return invalidValue("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
		}
	case "", billingProvisioned:
		if d.ProvisionedThroughput == nil {
			return invalidValue("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
		}
	default:
		return invalid("1 validation error detected: Value '%s' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]", d.BillingMode)
	}
	return nil
}

func (d *TableDefinition) checkKeys(schema []KeySchemaElement, used map[string]bool) error {
	if len(schema) == 0 || schema[0].KeyType != "HASH" {
		return invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	}
	if len(schema) > 2 {
		return invalid("1 validation error detected: Value at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2")
	}
	if len(schema) == 2 && schema[1].KeyType != "RANGE" {
		return invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
	}
	if len(schema) == 2 && schema[0].AttributeName == schema[1].AttributeName {
		return invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	}
	for _, k := range schema {
		if d.attributeKind(k.AttributeName) == kindNone {
			return invalidValue("Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: %s",
				k.AttributeName, bracketed(d.attributeNames()))
		}
		if len(k.AttributeName) > maxKeyNameBytes {
			return invalidValue("the name of a key attribute is longer than %d bytes", maxKeyNameBytes)
		}
		used[k.AttributeName] = true
	}
	return nil
}

func (d *TableDefinition) checkIndexes(used map[string]bool) error {
	if n := len(d.GlobalSecondaryIndexes); n > maxGlobalIndexes {
		return invalidValue("GlobalSecondaryIndex count exceeds the per-table limit of %d", maxGlobalIndexes)
	}
	if n := len(d.LocalSecondaryIndexes); n > maxLocalIndexes {
		return invalidValue("Number of LocalSecondaryIndexes exceeds per-table limit of %d", maxLocalIndexes)
	}
	names := map[string]bool{}
	for _, x := range slices.Concat(d.GlobalSecondaryIndexes, d.LocalSecondaryIndexes) {
		if names[x.IndexName] {
			return invalidValue("Duplicate index name: %s", x.IndexName)
		}
		names[x.IndexName] = true
		if err := d.checkIndex(x, used); err != nil {
			return err
		}
	}
	return d.checkLocal()
}

func (d *TableDefinition) checkIndex(x IndexDefinition, used map[string]bool) error {
	if err := checkName("indexName", x.IndexName); err != nil {
		return err
	}
	if err := d.checkKeys(x.KeySchema, used); err != nil {
		return err
	}
	switch p := x.Projection; p.ProjectionType {
	case projectAll, projectKeys:
		if len(p.NonKeyAttributes) > 0 {
			return invalidValue("ProjectionType is %s, but NonKeyAttributes is specified", p.ProjectionType)
		}
	case projectInclude:
		if len(p.NonKeyAttributes) == 0 {
			return invalidValue("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
		}
	default:
		return invalidValue("Unknown ProjectionType: %s", p.ProjectionType)
	}
	return nil
}

func (d *TableDefinition) checkLocal() error {
	for _, x := range d.LocalSecondaryIndexes {
		if len(d.KeySchema) < 2 {
			return invalidValue("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
		}
		if len(x.KeySchema) < 2 {
			return invalidValue("Index KeySchema does not have a range key for index: %s", x.IndexName)
		}
		if x.KeySchema[0].AttributeName != d.KeySchema[0].AttributeName {
			return invalidValue("Index KeySchema does not have the same leading hash key as table KeySchema for index: %s. index hash key: %s, table hash key: %s",
				x.IndexName, x.KeySchema[0].AttributeName, d.KeySchema[0].AttributeName)
		}
	}
	return nil
}

func (d *TableDefinition) attributeKind(name string) kind {
	for _, a := range d.AttributeDefinitions {
		if a.AttributeName == name {
			return kindNamed(a.AttributeType)
		}
	}
	return kindNone
}

func (d *TableDefinition) attributeNames() []string {
	names := make([]string, len(d.AttributeDefinitions))
	for i, a := range d.AttributeDefinitions {
		names[i] = a.AttributeName
	}
	return names
}

// sameKeys reports whether two key schemas are the same with the same types.
func sameKeys(a *TableDefinition, ka []KeySchemaElement, b *TableDefinition, kb []KeySchemaElement) bool {
	return slices.EqualFunc(ka, kb, func(x, y KeySchemaElement) bool {
		return x == y && a.attributeKind(x.AttributeName) == b.attributeKind(y.AttributeName)
	})
}

func describeKeys(d *TableDefinition, keys []KeySchemaElement) string {
	var text strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&text, "%s %s %s; ", k.KeyType, k.AttributeName, d.attributeKind(k.AttributeName))
	}
	return text.String()
}
