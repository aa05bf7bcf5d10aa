package dynamodb

import "slices"

// An itemOperation is a call that reads or writes items: the fields that it
// takes, and what it does.
type itemOperation struct {
	fields  []string
	special map[string]func(*request, *reader) error
	run     func(*Server, *request) ([]byte, error)
}

var writeFields = []string{
	"TableName", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnValues",
	"ReturnValuesOnConditionCheckFailure", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics",
}

var readFields = []string{
	"TableName", "IndexName", "FilterExpression", "ProjectionExpression", "ExpressionAttributeNames",
	"ExpressionAttributeValues", "ConsistentRead", "ExclusiveStartKey", "Limit", "Select", "ReturnConsumedCapacity",
}

var itemOperations = map[string]itemOperation{
	"PutItem":    {fields: with(writeFields, "Item"), run: (*Server).putItem},
	"UpdateItem": {fields: with(writeFields, "Key", "UpdateExpression"), run: (*Server).updateItem},
	"DeleteItem": {fields: with(writeFields, "Key"), run: (*Server).deleteItem},
	"GetItem": {
		fields: []string{"TableName", "Key", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames", "ReturnConsumedCapacity"},
		run:    (*Server).getItem,
	},
	"Query": {fields: with(readFields, "KeyConditionExpression", "ScanIndexForward"), run: (*Server).query},
	"Scan":  {fields: with(readFields, "Segment", "TotalSegments"), run: (*Server).scan},
	"BatchGetItem": {
		fields:  []string{"ReturnConsumedCapacity"},
		special: map[string]func(*request, *reader) error{"RequestItems": readBatchGet},
		run:     (*Server).batchGet,
	},
	"BatchWriteItem": {
		fields:  []string{"ReturnConsumedCapacity", "ReturnItemCollectionMetrics"},
		special: map[string]func(*request, *reader) error{"RequestItems": readBatchWrite},
		run:     (*Server).batchWrite,
	},
	"TransactWriteItems": {
		fields:  []string{"ClientRequestToken", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"},
		special: map[string]func(*request, *reader) error{"TransactItems": readTransaction(writeVerbs)},
		run:     (*Server).transactWrite,
	},
	"TransactGetItems": {
		fields:  []string{"ReturnConsumedCapacity"},
		special: map[string]func(*request, *reader) error{"TransactItems": readTransaction(readVerbs)},
		run:     (*Server).transactGet,
	},
}

// tableOperations are the calls about tables as a whole.
var tableOperations = map[string]func(*Server, []byte) (any, error){
	"CreateTable":               (*Server).createTable,
	"DescribeTable":             (*Server).describeTable,
	"UpdateTable":               (*Server).updateTable,
	"DeleteTable":               (*Server).deleteTable,
	"ListTables":                (*Server).listTables,
	"DescribeTimeToLive":        (*Server).describeTimeToLive,
	"UpdateTimeToLive":          (*Server).updateTimeToLive,
	"DescribeContinuousBackups": (*Server).describeContinuousBackups,
	"DescribeLimits":            (*Server).describeLimits,
	"DescribeEndpoints":         (*Server).describeEndpoints,
	"ListTagsOfResource":        (*Server).listTags,
}

func with(base []string, more ...string) []string { return slices.Concat(base, more) }

// unsupported names the calls of AWS that have no answer here.
var unsupported = map[string]string{
	"ExecuteStatement":         "PartiQL",
	"BatchExecuteStatement":    "PartiQL",
	"ExecuteTransaction":       "PartiQL",
	"CreateBackup":             "backups",
	"DescribeBackup":           "backups",
	"DeleteBackup":             "backups",
	"ListBackups":              "backups",
	"RestoreTableFromBackup":   "backups",
	"CreateGlobalTable":        "global tables",
	"UpdateGlobalTable":        "global tables",
	"DescribeGlobalTable":      "global tables",
	"ListGlobalTables":         "global tables",
	"ExportTableToPointInTime": "exports",
	"ImportTable":              "imports",
}

func unknownOperation(name string) error {
	if what := unsupported[name]; what != "" {
		return failf(codeUnknownOperation, "%s is not supported by the local endpoint: it has no %s", name, what)
	}
	return failf(codeUnknownOperation, "%s is not known to, or not supported by, the local endpoint", name)
}
