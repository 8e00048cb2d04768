"""A journey with boto3, unmodified: what an operator's script does against the platform. Prints what it saw as JSON.

Endpoint, region and credentials come from the environment, as for any script.
"""

import json
import sys
import time
import uuid

import boto3
from botocore.exceptions import ClientError


def refused(call, **arguments):
    """The code of the error that a call must answer."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError("the call was not refused")


def iot(seen):
    client = boto3.client("iot")
    client.create_thing(thingName="boto3-thing", attributePayload={"attributes": {"color": "red"}})
    seen["thing"] = client.describe_thing(thingName="boto3-thing")["attributes"]
    seen["absentThing"] = refused(client.describe_thing, thingName="absent")
    pages = client.get_paginator("list_things").paginate()
    seen["things"] = sorted(thing["thingName"] for page in pages for thing in page["things"])


def iot_data(seen):
    client = boto3.client("iot-data")
    desired = {"state": {"desired": {"on": True}, "reported": {"on": False}}}
    client.update_thing_shadow(thingName="boto3-thing", payload=json.dumps(desired))
    shadow = json.loads(client.get_thing_shadow(thingName="boto3-thing")["payload"].read())
    seen["delta"] = shadow["state"]["delta"]
    client.delete_thing_shadow(thingName="boto3-thing")
    seen["absentShadow"] = refused(client.get_thing_shadow, thingName="boto3-thing")
    reading = {"id": "boto3-1", "value": 7}
    client.publish(topic="device/boto3-thing/sensor/counter/v1", qos=1, payload=json.dumps(reading))


def dynamodb(seen):
    table = boto3.resource("dynamodb").Table("thingstead-registration")
    key = {"pk": "manifest#boto3-thing"}
    item = {**key, "thing": "boto3-thing", "addedAt": 1}
    table.put_item(Item=item)
    seen["item"] = table.get_item(Key=key, ConsistentRead=True)["Item"]["thing"]
    condition = "attribute_not_exists(pk)"
    seen["condition"] = refused(table.put_item, Item=item, ConditionExpression=condition)
    table.delete_item(Key=key)
    seen["deleted"] = "Item" not in table.get_item(Key=key)


def s3(seen, bucket):
    client = boto3.client("s3")
    client.put_object(Bucket=bucket, Key="boto3/a b.txt", Body=b"hello")
    seen["object"] = client.get_object(Bucket=bucket, Key="boto3/a b.txt")["Body"].read().decode()
    seen["keys"] = [each["Key"] for each in client.list_objects_v2(Bucket=bucket, Prefix="boto3/")["Contents"]]
    seen["absentObject"] = refused(client.get_object, Bucket=bucket, Key="absent")


def sqs(seen):
    client = boto3.client("sqs")
    url = client.get_queue_url(QueueName="thingstead-telemetry-errors")["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="hello")
    [message] = client.receive_message(QueueUrl=url)["Messages"]
    client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    seen["message"] = message["Body"]


def kinesis(seen):
    client = boto3.client("kinesis")
    stream = "thingstead-telemetry"
    put = client.put_record(StreamName=stream, Data=b'{"no": "reading"}', PartitionKey=str(uuid.uuid4()))
    iterator = client.get_shard_iterator(
        StreamName=stream,
        ShardId=put["ShardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        StartingSequenceNumber=put["SequenceNumber"],
    )["ShardIterator"]
    seen["record"] = client.get_records(ShardIterator=iterator)["Records"][0]["Data"].decode()


def logs(seen):
    client = boto3.client("logs")
    client.create_log_group(logGroupName="boto3")
    client.create_log_stream(logGroupName="boto3", logStreamName="one")
    now = int(time.time() * 1000)
    client.put_log_events(logGroupName="boto3", logStreamName="one", logEvents=[{"timestamp": now, "message": "hello"}])
    seen["log"] = [each["message"] for each in client.filter_log_events(logGroupName="boto3")["events"]]


def cloudwatch(seen):
    client = boto3.client("cloudwatch")
    client.put_metric_data(Namespace="Boto3", MetricData=[{"MetricName": "Visits", "Value": 3, "Unit": "Count"}])
    seen["metrics"] = [each["MetricName"] for each in client.list_metrics(Namespace="Boto3")["Metrics"]]
    alarms = client.describe_alarms(AlarmNamePrefix="thingstead-")["MetricAlarms"]
    seen["alarms"] = len(alarms) > 0


def main():
    seen = {}
    seen["account"] = boto3.client("sts").get_caller_identity()["Account"]
    iot(seen)
    iot_data(seen)
    dynamodb(seen)
    s3(seen, sys.argv[1])
    sqs(seen)
    kinesis(seen)
    logs(seen)
    cloudwatch(seen)
    print(json.dumps(seen))


main()
