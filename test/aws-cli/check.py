"""The aws command line and boto3 against the local queues and tables.

usage: check.py STACK.json
"""

import base64
import json
import os
import subprocess
import sys
import time

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

with open(sys.argv[1], encoding="utf-8") as f:
    STACK = json.load(f)

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": STACK.get("region", "us-east-1")}
passed, failed = 0, 0


def check(what, ok, seen=None):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}: {seen!r}")


def aws(service, *args):
    """One call of the aws command line; its JSON, or its error text."""
    endpoint = STACK["sqs"] if service == "sqs" else STACK["dynamodb"]
    done = subprocess.run(
        ["aws", "--endpoint-url", endpoint, "--output", "json", service, *args],
        env={**os.environ, **CREDENTIALS, "AWS_PAGER": ""}, capture_output=True, text=True, timeout=60, check=False,
    )
    if done.returncode != 0:
        return {"error": done.stderr.strip()}
    return json.loads(done.stdout) if done.stdout.strip() else {}


def queues():
    listed = aws("sqs", "list-queues").get("QueueUrls", [])
    check("list-queues lists every queue of the template", set(STACK["queues"].values()) <= set(listed), listed)

    url = aws("sqs", "create-queue", "--queue-name", "aws-cli")["QueueUrl"]
    sent = aws("sqs", "send-message", "--queue-url", url, "--message-body", "héllo <&> 1",
               "--message-attributes", '{"kind":{"DataType":"String","StringValue":"greeting"}}')
    check("send-message answers an id", "MessageId" in sent, sent)
    got = aws("sqs", "receive-message", "--queue-url", url, "--message-attribute-names", "All", "--attribute-names", "All")
    message = got.get("Messages", [{}])[0]
    check("receive-message gives the body", message.get("Body") == "héllo <&> 1", got)
    check("receive-message gives the attribute", message.get("MessageAttributes", {}).get("kind", {}).get("StringValue") == "greeting", got)
    check("receive-message counts receives", message.get("Attributes", {}).get("ApproximateReceiveCount") == "1", got)
    attributes = aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
    check("the message is in flight", attributes.get("ApproximateNumberOfMessagesNotVisible") == "1", attributes)
    gone = aws("sqs", "delete-message", "--queue-url", url, "--receipt-handle", message.get("ReceiptHandle", ""))
    check("delete-message answers nothing", gone == {}, gone)
    refused = aws("sqs", "send-message", "--queue-url", url + "-absent", "--message-body", "x")
    check("a queue that is not there is named so", "NonExistentQueue" in refused.get("error", ""), refused)

    client = boto3.client("sqs", endpoint_url=STACK["sqs"], region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
                          aws_access_key_id="local", aws_secret_access_key="local")
    entries = [{"Id": str(i), "MessageBody": f"body {i}"} for i in range(10)]
    out = client.send_message_batch(QueueUrl=url, Entries=entries)
    check("a batch of ten is taken", len(out.get("Successful", [])) == 10, out)
    bodies = set()
    for _ in range(20):
        for m in client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            bodies.add(m["Body"])
            client.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
        if len(bodies) == 10:
            break
    check("each of the ten comes out", bodies == {f"body {i}" for i in range(10)}, bodies)
    fifo = client.create_queue(QueueName="aws-cli.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
    for body in ("1", "2", "2", "3"):
        client.send_message(QueueUrl=fifo, MessageBody=body, MessageGroupId="g")
    order = [m["Body"] for m in client.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10).get("Messages", [])]
    check("a FIFO queue keeps the order and drops the repeat", order == ["1", "2", "3"], order)
    for queue in (url, fifo):
        client.delete_queue(QueueUrl=queue)


def tables():
    names = aws("dynamodb", "list-tables").get("TableNames", [])
    check("list-tables lists every table of the template", set(STACK["tables"].values()) <= set(names), names)
    described = aws("dynamodb", "describe-table", "--table-name", STACK["tables"]["EventsTable"]).get("Table", {})
    check("describe-table shows the time index", [i["IndexName"] for i in described.get("GlobalSecondaryIndexes", [])] == ["by-time"], described)

    made = aws("dynamodb", "create-table", "--table-name", "aws-cli", "--billing-mode", "PAY_PER_REQUEST",
               "--attribute-definitions", "AttributeName=pk,AttributeType=S", "AttributeName=sk,AttributeType=N",
               "--key-schema", "AttributeName=pk,KeyType=HASH", "AttributeName=sk,KeyType=RANGE")
    check("create-table is answered", made.get("TableDescription", {}).get("TableName") == "aws-cli", made)
    put = aws("dynamodb", "put-item", "--table-name", "aws-cli", "--item", '{"pk":{"S":"a"},"sk":{"N":"1.50"},"set":{"SS":["x","y"]}}')
    check("put-item is answered", put == {}, put)
    got = aws("dynamodb", "get-item", "--table-name", "aws-cli", "--key", '{"pk":{"S":"a"},"sk":{"N":"1.5"}}').get("Item", {})
    check("get-item finds the number in another spelling", sorted(got.get("set", {}).get("SS", [])) == ["x", "y"], got)

    resource = boto3.resource("dynamodb", endpoint_url=STACK["dynamodb"], region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
                              aws_access_key_id="local", aws_secret_access_key="local")
    table = resource.Table("aws-cli")
    with table.batch_writer() as batch:
        for i in range(40):
            batch.put_item(Item={"pk": "b", "sk": i, "even": i % 2 == 0})
    page = table.query(KeyConditionExpression=Key("pk").eq("b") & Key("sk").between(10, 19), FilterExpression=Attr("even").eq(True), ScanIndexForward=False)
    check("query gives the range, filtered, backwards", [int(i["sk"]) for i in page["Items"]] == [18, 16, 14, 12, 10], page["Items"])
    items, start = 0, {}
    while True:
        out = table.scan(Limit=7, **start)
        items += out["Count"]
        if "LastEvaluatedKey" not in out:
            break
        start = {"ExclusiveStartKey": out["LastEvaluatedKey"]}
    check("scan pages over all", items == 41, items)
    new = table.update_item(Key={"pk": "b", "sk": 3}, UpdateExpression="SET n = if_not_exists(n, :z) + :one ADD tags :t",
                            ExpressionAttributeValues={":z": 0, ":one": 1, ":t": {"t"}}, ReturnValues="ALL_NEW")["Attributes"]
    check("update-item computes", int(new["n"]) == 1 and new["tags"] == {"t"}, new)
    try:
        table.put_item(Item={"pk": "b", "sk": 3}, ConditionExpression=Attr("pk").not_exists(), ReturnValuesOnConditionCheckFailure="ALL_OLD")
        check("a failed condition is refused", False)
    except ClientError as e:
        check("a failed condition is refused", e.response["Error"]["Code"] == "ConditionalCheckFailedException", e.response)
        check("the old item comes back", e.response.get("Item", {}).get("n") is not None, e.response)
    table.delete()


def front_door():
    """An event pushed by boto3 as the receiver would: what we send is what they read."""
    body = base64.b64encode(b"raw \x00 bytes").decode()
    client = boto3.client("sqs", endpoint_url=STACK["sqs"], region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
                          aws_access_key_id="local", aws_secret_access_key="local")
    client.send_message(QueueUrl=STACK["queues"]["EventQueue"], MessageGroupId="github", MessageBody=json.dumps({
        "specversion": "1.0", "id": "from-boto3", "source": "github", "type": "ping", "datacontenttype": "application/json",
        "data_base64": body, "transport": "webhook", "receivedtime": "2026-01-01T00:00:00Z"}))
    table = boto3.resource("dynamodb", endpoint_url=STACK["dynamodb"], region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
                           aws_access_key_id="local", aws_secret_access_key="local").Table(STACK["tables"]["EventsTable"])
    item = {}
    for _ in range(100):
        item = table.get_item(Key={"id": "github/from-boto3"}).get("Item", {})
        if item.get("status") == "delivered":
            break
        time.sleep(0.1)
    check("an event put on the queue by boto3 is delivered, and boto3 reads so in the ledger", item.get("status") == "delivered", item)


queues()
tables()
front_door()
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
