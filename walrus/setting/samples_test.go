package setting

const corsGood = `<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>`

var samples = []sample{
	{"VersioningConfiguration", "<Status>Enabled</Status>", ""},
	{"VersioningConfiguration", "<Status>Suspended</Status><MfaDelete>Disabled</MfaDelete>", ""},
	{"VersioningConfiguration", "<Status>Off</Status>", "MalformedXML"},
	{"VersioningConfiguration", "", "IllegalVersioningConfigurationException"},
	{"VersioningConfiguration", "<MfaDelete>Disabled</MfaDelete>", "MalformedXML"},
	{"VersioningConfiguration", "<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>", "NotImplemented"},
	{"VersioningConfiguration", "<Status>Enabled</Status><Status>Enabled</Status>", "MalformedXML"},

	{"Tagging", tags(0), ""},
	{"Tagging", tags(10), ""},
	{"Tagging", tags(11), "BadRequest"},
	{"BucketTagging", tags(50), ""},
	{"BucketTagging", tags(51), "BadRequest"},
	{"Tagging", "", "MalformedXML"},
	{"Tagging", "<TagSet><Tag><Key>k</Key></Tag></TagSet>", "MalformedXML"},
	{"Tagging", "<TagSet><Tag><Key></Key><Value>v</Value></Tag></TagSet>", "InvalidTag"},
	{"Tagging", "<TagSet><Tag><Key>ü b+-=._:/@</Key><Value></Value></Tag></TagSet>", ""},
	{"Tagging", "<TagSet><Tag><Key>a&amp;b</Key><Value></Value></Tag></TagSet>", "InvalidTag"},
	{"Tagging", "<TagSet><Tag><Key>a</Key><Value>{}</Value></Tag></TagSet>", "InvalidTag"},
	{"Tagging", "<TagSet><Tag><Key>aws:x</Key><Value></Value></Tag></TagSet>", "InvalidTag"},
	{"Tagging", "<TagSet><Tag><Key>" + repeat("ü", 128) + "</Key><Value>" + repeat("ü", 256) + "</Value></Tag></TagSet>", ""},
	{"Tagging", "<TagSet><Tag><Key>" + repeat("k", 129) + "</Key><Value></Value></Tag></TagSet>", "InvalidTag"},
	{"Tagging", "<TagSet><Tag><Key>k</Key><Value>" + repeat("v", 257) + "</Value></Tag></TagSet>", "InvalidTag"},
	{"Tagging", "<TagSet><Tag><Key>k</Key><Value>1</Value></Tag><Tag><Key>k</Key><Value>2</Value></Tag></TagSet>", "InvalidTag"},

	{"CORSConfiguration", corsGood, ""},
	{"CORSConfiguration", "<CORSRule><ID>x</ID><AllowedHeader>x-*</AllowedHeader><AllowedMethod>PUT</AllowedMethod><AllowedMethod>POST</AllowedMethod><AllowedOrigin>http://*.a</AllowedOrigin><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>9</MaxAgeSeconds></CORSRule>", ""},
	{"CORSConfiguration", "", "MalformedXML"},
	{"CORSConfiguration", "<CORSRule><AllowedMethod>GET</AllowedMethod></CORSRule>", "MalformedXML"},
	{"CORSConfiguration", "<CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule>", "MalformedXML"},
	{"CORSConfiguration", "<CORSRule><AllowedMethod>PATCH</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>", "InvalidRequest"},
	{"CORSConfiguration", "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*.*</AllowedOrigin></CORSRule>", "InvalidRequest"},
	{"CORSConfiguration", "<CORSRule><AllowedHeader>*-*</AllowedHeader><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>", "InvalidRequest"},
	{"CORSConfiguration", "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><ExposeHeader>*</ExposeHeader></CORSRule>", "InvalidRequest"},
	{"CORSConfiguration", "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><ExposeHeader>a&#10;b</ExposeHeader></CORSRule>", "InvalidRequest"},
	{"CORSConfiguration", "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><MaxAgeSeconds>soon</MaxAgeSeconds></CORSRule>", "MalformedXML"},
	{"CORSConfiguration", "<CORSRule><ID>" + repeat("x", 256) + "</ID><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>", "InvalidArgument"},
	{"CORSConfiguration", repeat(corsGood, 100), ""},
	{"CORSConfiguration", repeat(corsGood, 101), "InvalidRequest"},
	{"CORSConfiguration", repeat(corsGood, 1001), "MalformedXML"},

	{"ServerSideEncryptionConfiguration", "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>", ""},
	{"ServerSideEncryptionConfiguration", "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>", "NotImplemented"},
	{"ServerSideEncryptionConfiguration", "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>ROT13</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>", "MalformedXML"},
	{"ServerSideEncryptionConfiguration", "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule>", "InvalidArgument"},
	{"ServerSideEncryptionConfiguration", "<Rule></Rule>", "MalformedXML"},
	{"ServerSideEncryptionConfiguration", "", "MalformedXML"},

	{"ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled>", ""},
	{"ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>", ""},
	{"ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Years>100</Years></DefaultRetention></Rule>", ""},
	{"ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>governance</Mode><Days>1</Days></DefaultRetention></Rule>", "MalformedXML"},
	{"ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days><Years>1</Years></DefaultRetention></Rule>", "MalformedXML"},
	{"ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode></DefaultRetention></Rule>", "MalformedXML"},
	{"ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Days>1</Days></DefaultRetention></Rule>", "MalformedXML"},
	{"ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>0</Days></DefaultRetention></Rule>", "InvalidRetentionPeriod"},
	{"ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Years>-1</Years></DefaultRetention></Rule>", "InvalidRetentionPeriod"},
	{"ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>36501</Days></DefaultRetention></Rule>", "InvalidRetentionPeriod"},
	{"ObjectLockConfiguration", "<ObjectLockEnabled>Disabled</ObjectLockEnabled>", "MalformedXML"},
	{"ObjectLockConfiguration", "", "MalformedXML"},
}

const day1 = "<Expiration><Days>1</Days></Expiration>"

// rule is a rule of a lifecycle, on everything.
func rule(in string) string {
	return "<Rule><Status>Enabled</Status><Filter/>" + in + "</Rule>"
}

var lifecycles = []sample{
	{"LifecycleConfiguration", rule(day1), ""},
	{"LifecycleConfiguration", rule("<ID>a</ID>"+day1) + rule(day1), ""},
	{"LifecycleConfiguration", rule("<ID>rule-2</ID>"+day1) + rule(day1), ""},
	{"LifecycleConfiguration", rule("<ID>a</ID>"+day1) + rule("<ID>a</ID>"+day1), "InvalidArgument"},
	{"LifecycleConfiguration", "", "MalformedXML"},
	{"LifecycleConfiguration", repeat(rule(day1), 1000), ""},
	{"LifecycleConfiguration", repeat(rule(day1), 1001), "MalformedXML"},
	{"LifecycleConfiguration", "<Rule><Status>Enabled</Status><Prefix>a/</Prefix>" + day1 + "</Rule>", ""},
	{"LifecycleConfiguration", "<Rule><Status>enabled</Status><Prefix></Prefix>" + day1 + "</Rule>", "MalformedXML"},
	{"LifecycleConfiguration", "<Rule><Prefix></Prefix>" + day1 + "</Rule>", "MalformedXML"},
	{"LifecycleConfiguration", "<Rule><Status>Enabled</Status>" + day1 + "</Rule>", "MalformedXML"},
	{"LifecycleConfiguration", "<Rule><Status>Enabled</Status><Prefix/><Filter/>" + day1 + "</Rule>", "MalformedXML"},
	{"LifecycleConfiguration", rule(""), "InvalidRequest"},
	{"LifecycleConfiguration", rule("<ID>" + repeat("x", 256) + "</ID>" + day1), "InvalidArgument"},
	{"LifecycleConfiguration", rule("<Expiration><Days>0</Days></Expiration>"), "InvalidArgument"},
	{"LifecycleConfiguration", rule("<Expiration><Days>99999999999999999999</Days></Expiration>"), "MalformedXML"},
	{"LifecycleConfiguration", rule("<Expiration><Days>1.5</Days></Expiration>"), "MalformedXML"},
	{"LifecycleConfiguration", rule("<Expiration/>"), "MalformedXML"},
	{"LifecycleConfiguration", rule("<Expiration><Days>1</Days><Date>2030-01-01</Date></Expiration>"), "MalformedXML"},
	{"LifecycleConfiguration", rule("<Expiration><Date>2030-01-01</Date></Expiration>"), ""},
	{"LifecycleConfiguration", rule("<Expiration><Date>2030-01-01T00:00:00.000Z</Date></Expiration>"), ""},
	{"LifecycleConfiguration", rule("<Expiration><Date>2030-01-01T01:00:00+01:00</Date></Expiration>"), ""},
	{"LifecycleConfiguration", rule("<Expiration><Date>2030-01-01T00:00:01Z</Date></Expiration>"), "InvalidArgument"},
	{"LifecycleConfiguration", rule("<Expiration><Date>1st of May</Date></Expiration>"), "MalformedXML"},
	{"LifecycleConfiguration", rule("<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"), ""},
	{"LifecycleConfiguration", rule("<Expiration><ExpiredObjectDeleteMarker>yes</ExpiredObjectDeleteMarker></Expiration>"), "MalformedXML"},
	{"LifecycleConfiguration", rule("<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>"), ""},
	{"LifecycleConfiguration", rule("<NoncurrentVersionExpiration><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>"), "MalformedXML"},
	{"LifecycleConfiguration", rule("<NoncurrentVersionExpiration><NoncurrentDays>0</NoncurrentDays></NoncurrentVersionExpiration>"), "InvalidArgument"},
	{"LifecycleConfiguration", rule("<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>101</NewerNoncurrentVersions></NoncurrentVersionExpiration>"), "InvalidArgument"},
	{"LifecycleConfiguration", rule("<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>"), ""},
	{"LifecycleConfiguration", rule("<AbortIncompleteMultipartUpload><DaysAfterInitiation>0</DaysAfterInitiation></AbortIncompleteMultipartUpload>"), "InvalidArgument"},
	{"LifecycleConfiguration", rule("<AbortIncompleteMultipartUpload/>"), "MalformedXML"},
	{"LifecycleConfiguration", rule("<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>" + day1), "NotImplemented"},
	{"LifecycleConfiguration", rule("<NoncurrentVersionTransition><x/></NoncurrentVersionTransition>" + day1), "NotImplemented"},
	{"LifecycleConfiguration", filtered("<Prefix>a</Prefix>", day1), ""},
	{"LifecycleConfiguration", filtered("<Prefix>"+repeat("a", 1025)+"</Prefix>", day1), "InvalidRequest"},
	{"LifecycleConfiguration", filtered("<Tag><Key>a</Key><Value>b</Value></Tag>", day1), ""},
	{"LifecycleConfiguration", filtered("<ObjectSizeGreaterThan>5</ObjectSizeGreaterThan>", day1), ""},
	{"LifecycleConfiguration", filtered("<ObjectSizeLessThan>0</ObjectSizeLessThan>", day1), "InvalidRequest"},
	{"LifecycleConfiguration", filtered("<Prefix>a</Prefix><ObjectSizeLessThan>5</ObjectSizeLessThan>", day1), "MalformedXML"},
	{"LifecycleConfiguration", filtered("<And><Prefix>a</Prefix><Tag><Key>a</Key><Value>b</Value></Tag><Tag><Key>c</Key><Value>b</Value></Tag><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan><ObjectSizeLessThan>9</ObjectSizeLessThan></And>", day1), ""},
	{"LifecycleConfiguration", filtered("<And><Prefix>a</Prefix></And>", day1), "MalformedXML"},
	{"LifecycleConfiguration", filtered("<And><Prefix>a</Prefix><Tag><Key>a</Key><Value>b</Value></Tag><Tag><Key>a</Key><Value>b</Value></Tag></And>", day1), "InvalidTag"},
	{"LifecycleConfiguration", filtered("<And><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan><ObjectSizeLessThan>9</ObjectSizeLessThan></And>", day1), "InvalidRequest"},
	{"LifecycleConfiguration", filtered("<Tag><Key>a</Key><Value>b</Value></Tag>", "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"), "InvalidRequest"},
	{"LifecycleConfiguration", filtered("<Tag><Key>a</Key><Value>b</Value></Tag>", "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>"), "InvalidRequest"},
	{"LifecycleConfiguration", filtered("<ObjectSizeGreaterThan>5</ObjectSizeGreaterThan>", "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>"), "InvalidRequest"},
}

func filtered(filter, in string) string {
	return "<Rule><Status>Enabled</Status><Filter>" + filter + "</Filter>" + in + "</Rule>"
}

// queue is a subscription to events, with a filter.
func queue(arn, event, filter string) string {
	return "<QueueConfiguration><Queue>" + arn + "</Queue><Event>" + event + "</Event>" + filter + "</QueueConfiguration>"
}

func keyFilter(prefix, suffix string) string {
	return "<Filter><S3Key><FilterRule><Name>prefix</Name><Value>" + prefix + "</Value></FilterRule><FilterRule><Name>Suffix</Name><Value>" + suffix + "</Value></FilterRule></S3Key></Filter>"
}

const (
	sqs     = "arn:karri:sqs:us-east-1::q"
	created = "s3:ObjectCreated:*"
)

var notifications = []sample{
	{"NotificationConfiguration", "", ""},
	{"NotificationConfiguration", queue(sqs, created, ""), ""},
	{"NotificationConfiguration", queue(sqs, created, keyFilter("a", ".jpg")), ""},
	{"NotificationConfiguration", "<TopicConfiguration><Id>t</Id><Topic>arn:aws:sns:us-east-1:111111111111:t</Topic><Event>s3:ObjectTagging:*</Event></TopicConfiguration><CloudFunctionConfiguration><CloudFunction>arn:aws:lambda:us-east-1:111111111111:function:f</CloudFunction><Event>s3:ObjectRemoved:Delete</Event></CloudFunctionConfiguration>", ""},
	{"NotificationConfiguration", "<EventBridgeConfiguration/>", "NotImplemented"},
	{"NotificationConfiguration", queue("q", created, ""), "InvalidArgument"},
	{"NotificationConfiguration", queue("arn:karri:sns:us-east-1::q", created, ""), "InvalidArgument"},
	{"NotificationConfiguration", queue(sqs, "s3:ObjectEaten", ""), "InvalidArgument"},
	{"NotificationConfiguration", "<QueueConfiguration><Queue>" + sqs + "</Queue></QueueConfiguration>", "MalformedXML"},
	{"NotificationConfiguration", "<QueueConfiguration><Event>" + created + "</Event></QueueConfiguration>", "MalformedXML"},
	{"NotificationConfiguration", "<QueueConfiguration><Topic>" + sqs + "</Topic><Event>" + created + "</Event></QueueConfiguration>", "MalformedXML"},
	{"NotificationConfiguration", queue(sqs, created, "<Filter><S3Key><FilterRule><Name>middle</Name><Value>x</Value></FilterRule></S3Key></Filter>"), "InvalidArgument"},
	{"NotificationConfiguration", queue(sqs, created, "<Filter><S3Key><FilterRule><Name>prefix</Name><Value>x</Value></FilterRule><FilterRule><Name>prefix</Name><Value>y</Value></FilterRule></S3Key></Filter>"), "InvalidArgument"},
	{"NotificationConfiguration", queue(sqs, created, keyFilter(repeat("x", 1025), "")), "InvalidArgument"},
	{"NotificationConfiguration", queue(sqs, created, "<Id>a</Id>") + queue(sqs, "s3:ObjectAcl:Put", "<Id>a</Id>"), "InvalidArgument"},
	{"NotificationConfiguration", queue(sqs, created, "") + queue(sqs, "s3:ObjectCreated:Put", ""), "InvalidArgument"},
	{"NotificationConfiguration", queue(sqs, created, "") + queue(sqs, "s3:ObjectRemoved:*", ""), ""},
	{"NotificationConfiguration", queue(sqs, created, keyFilter("a", "")) + queue(sqs, created, keyFilter("b", "")), ""},
	{"NotificationConfiguration", queue(sqs, created, keyFilter("a", ".jpg")) + queue(sqs, created, keyFilter("a/b", ".png")), ""},
	{"NotificationConfiguration", queue(sqs, created, keyFilter("a", "jpg")) + queue(sqs, created, keyFilter("a/b", ".jpg")), "InvalidArgument"},
	{"NotificationConfiguration", repeat(queue(sqs, created, ""), 101), "InvalidArgument"},
}

const indexed = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>"

func routing(condition, redirect string) string {
	return indexed + "<RoutingRules><RoutingRule>" + condition + "<Redirect>" + redirect + "</Redirect></RoutingRule></RoutingRules>"
}

var websites = []sample{
	{"WebsiteConfiguration", indexed, ""},
	{"WebsiteConfiguration", indexed + "<ErrorDocument><Key>e/404.html</Key></ErrorDocument>", ""},
	{"WebsiteConfiguration", "<RedirectAllRequestsTo><HostName>example.com</HostName><Protocol>https</Protocol></RedirectAllRequestsTo>", ""},
	{"WebsiteConfiguration", "<RedirectAllRequestsTo><HostName>example.com</HostName></RedirectAllRequestsTo>" + indexed, "InvalidArgument"},
	{"WebsiteConfiguration", "<RedirectAllRequestsTo><HostName>a b</HostName></RedirectAllRequestsTo>", "InvalidRequest"},
	{"WebsiteConfiguration", "<RedirectAllRequestsTo><HostName>a</HostName><Protocol>gopher</Protocol></RedirectAllRequestsTo>", "MalformedXML"},
	{"WebsiteConfiguration", "", "InvalidArgument"},
	{"WebsiteConfiguration", "<IndexDocument><Suffix></Suffix></IndexDocument>", "InvalidArgument"},
	{"WebsiteConfiguration", "<IndexDocument><Suffix>a/b</Suffix></IndexDocument>", "InvalidArgument"},
	{"WebsiteConfiguration", "<IndexDocument/>", "MalformedXML"},
	{"WebsiteConfiguration", indexed + "<ErrorDocument><Key></Key></ErrorDocument>", "InvalidArgument"},
	{"WebsiteConfiguration", indexed + "<RoutingRules/>", "MalformedXML"},
	{"WebsiteConfiguration", routing("<Condition><KeyPrefixEquals>docs/</KeyPrefixEquals></Condition>", "<ReplaceKeyPrefixWith>documents/</ReplaceKeyPrefixWith>"), ""},
	{"WebsiteConfiguration", routing("<Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition>", "<HostName>e</HostName><HttpRedirectCode>302</HttpRedirectCode>"), ""},
	{"WebsiteConfiguration", routing("<Condition/>", "<HostName>e</HostName>"), "InvalidRequest"},
	{"WebsiteConfiguration", routing("<Condition><HttpErrorCodeReturnedEquals>200</HttpErrorCodeReturnedEquals></Condition>", "<HostName>e</HostName>"), "InvalidRequest"},
	{"WebsiteConfiguration", routing("", "<HttpRedirectCode>300</HttpRedirectCode>"), "InvalidRequest"},
	{"WebsiteConfiguration", routing("", "<HttpRedirectCode>x</HttpRedirectCode>"), "InvalidRequest"},
	{"WebsiteConfiguration", routing("", "<ReplaceKeyWith>a</ReplaceKeyWith><ReplaceKeyPrefixWith>b</ReplaceKeyPrefixWith>"), "InvalidRequest"},
	{"WebsiteConfiguration", routing("", ""), "MalformedXML"},
	{"WebsiteConfiguration", indexed + "<RoutingRules>" + repeat("<RoutingRule><Redirect><HostName>e</HostName></Redirect></RoutingRule>", 51) + "</RoutingRules>", "InvalidRequest"},
}

// inventory is one to a bucket, in a format.
func inventory(arn, format, more string) string {
	return "<Destination><S3BucketDestination><Bucket>" + arn + "</Bucket><Format>" + format + "</Format><Prefix>p</Prefix></S3BucketDestination></Destination><IsEnabled>true</IsEnabled><Id>list</Id><IncludedObjectVersions>All</IncludedObjectVersions><Schedule><Frequency>Daily</Frequency></Schedule>" + more
}

const there = "<Destination><Bucket>arn:karri:s3:elsewhere::there</Bucket></Destination>"

func replication(in string) string {
	return "<Role>r</Role><Rule><Status>Enabled</Status>" + in + "</Rule>"
}

var others = []sample{
	{"BucketLoggingStatus", "", ""},
	{"BucketLoggingStatus", "<LoggingEnabled><TargetBucket>b</TargetBucket><TargetPrefix>p</TargetPrefix></LoggingEnabled>", ""},
	{"BucketLoggingStatus", "<LoggingEnabled><TargetBucket>b</TargetBucket><TargetPrefix/><TargetObjectKeyFormat><PartitionedPrefix><PartitionDateSource>EventTime</PartitionDateSource></PartitionedPrefix></TargetObjectKeyFormat></LoggingEnabled>", ""},
	{"BucketLoggingStatus", "<LoggingEnabled><TargetBucket>b</TargetBucket><TargetPrefix/><TargetObjectKeyFormat><SimplePrefix/></TargetObjectKeyFormat></LoggingEnabled>", ""},
	{"BucketLoggingStatus", "<LoggingEnabled><TargetBucket>b</TargetBucket><TargetPrefix/><TargetObjectKeyFormat/></LoggingEnabled>", "MalformedXML"},
	{"BucketLoggingStatus", "<LoggingEnabled><TargetBucket>b</TargetBucket></LoggingEnabled>", "MalformedXML"},
	{"BucketLoggingStatus", "<LoggingEnabled><TargetBucket>b</TargetBucket><TargetPrefix/><TargetGrants><Grant/></TargetGrants></LoggingEnabled>", "NotImplemented"},

	{"InventoryConfiguration", inventory("arn:aws:s3:::lists", "CSV", ""), ""},
	{"InventoryConfiguration", inventory("arn:aws:s3:::lists", "CSV", "<Filter><Prefix>a</Prefix></Filter><OptionalFields><Field>Size</Field><Field>ETag</Field></OptionalFields>"), ""},
	{"InventoryConfiguration", inventory("arn:aws:s3:::lists", "CSV", "<OptionalFields><Field>Size</Field><Field>Size</Field></OptionalFields>"), "MalformedXML"},
	{"InventoryConfiguration", inventory("arn:aws:s3:::lists", "CSV", "<OptionalFields><Field>Colour</Field></OptionalFields>"), "MalformedXML"},
	{"InventoryConfiguration", inventory("arn:aws:s3:::lists", "Parquet", ""), "NotImplemented"},
	{"InventoryConfiguration", inventory("arn:aws:s3:::lists", "TXT", ""), "MalformedXML"},
	{"InventoryConfiguration", inventory("lists", "CSV", ""), "InvalidArgument"},
	{"InventoryConfiguration", "<Id>x</Id>", "MalformedXML"},

	{"ReplicationConfiguration", replication("<Prefix/>" + there), ""},
	{"ReplicationConfiguration", replication("<Priority>1</Priority><Filter/><DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>" + there), ""},
	{"ReplicationConfiguration", replication("<Filter/><DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>" + there), "InvalidRequest"},
	{"ReplicationConfiguration", replication("<Priority>1</Priority><Filter/>" + there), "InvalidRequest"},
	{"ReplicationConfiguration", replication("<Priority>1</Priority><Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter><DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>" + there), "InvalidRequest"},
	{"ReplicationConfiguration", replication("<Priority>1</Priority><Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter><DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>" + there), ""},
	{"ReplicationConfiguration", replication("<Prefix/>"), "MalformedXML"},
	{"ReplicationConfiguration", replication("<Prefix/><Destination><Bucket>there</Bucket></Destination>"), "InvalidArgument"},
	{"ReplicationConfiguration", replication("<Prefix/><Destination><Bucket>arn:aws:s3:::b</Bucket><StorageClass>GLACIER</StorageClass></Destination>"), "MalformedXML"},
	{"ReplicationConfiguration", replication("<Prefix/><SourceSelectionCriteria/>" + there), "NotImplemented"},
	{"ReplicationConfiguration", replication("<Prefix/>" + there)[len("<Role>r</Role>"):], "MalformedXML"},

	{"RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>", ""},
	{"RequestPaymentConfiguration", "<Payer>Requester</Payer>", "NotImplemented"},
	{"RequestPaymentConfiguration", "<Payer>Nobody</Payer>", "MalformedXML"},
}
