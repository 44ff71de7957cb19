package ledger

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"karri/cloudctl/store"
	"karri/shared/audit"
)

// sourceOf is what CloudTrail calls a service.
func sourceOf(service string) string {
	switch service {
	case "karri", "internal", "audit":
		return service + ".karri"
	}
	return service + ".amazonaws.com"
}

// userName is the user of a line: the session of a role, root for an account.
func userName(l *audit.Line) string {
	if l.Kind == "root" {
		return "root"
	}
	_, path, ok := strings.Cut(l.ARN, ":user/")
	if !ok {
		path = l.ARN
	}
	if l.Kind == "user" && l.Name != "" {
		return l.Name
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}

var kinds = map[string]string{
	"ec2:instance": "AWS::EC2::Instance", "ec2:volume": "AWS::EC2::Volume", "ec2:snapshot": "AWS::EC2::Snapshot", "ec2:image": "AWS::EC2::Ami",
	"ec2:security-group": "AWS::EC2::SecurityGroup", "ec2:subnet": "AWS::EC2::Subnet", "ec2:vpc": "AWS::EC2::VPC", "ec2:key-pair": "AWS::EC2::KeyPair",
	"ec2:network-interface": "AWS::EC2::NetworkInterface", "ec2:elastic-ip": "AWS::EC2::EIP", "ec2:route-table": "AWS::EC2::RouteTable",
	"iam:user": "AWS::IAM::User", "iam:group": "AWS::IAM::Group", "iam:role": "AWS::IAM::Role", "iam:policy": "AWS::IAM::Policy",
	"iam:instance-profile": "AWS::IAM::InstanceProfile", "iam:server-certificate": "AWS::IAM::ServerCertificate", "cloudtrail:trail": "AWS::CloudTrail::Trail",
}

// resource is what an ARN names, as a search asks for it: the id or name of the
// thing; the whole ARN of an object.
func resource(arn string) (name, kind string) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[5] == "" || parts[5] == "*" {
		return "", ""
	}
	service, rest := parts[2], parts[5]
	if service == "s3" {
		if strings.Contains(rest, "/") {
			return arn, "AWS::S3::Object"
		}
		return rest, "AWS::S3::Bucket"
	}
	word, _, _ := strings.Cut(rest, "/")
	kind = kinds[service+":"+word]
	name = rest[strings.LastIndexByte(rest, '/')+1:]
	if name == "*" || name == "" {
		return "", ""
	}
	return name, kind
}

// A record is an event in the form that is public.
type record struct {
	EventVersion       string           `json:"eventVersion"`
	UserIdentity       userIdentity     `json:"userIdentity"`
	EventTime          string           `json:"eventTime"`
	EventSource        string           `json:"eventSource"`
	EventName          string           `json:"eventName"`
	AWSRegion          string           `json:"awsRegion"`
	SourceIPAddress    string           `json:"sourceIPAddress"`
	UserAgent          string           `json:"userAgent"`
	ErrorCode          string           `json:"errorCode,omitempty"`
	ErrorMessage       string           `json:"errorMessage,omitempty"`
	RequestParameters  json.RawMessage  `json:"requestParameters"`
	ResponseElements   json.RawMessage  `json:"responseElements"`
	RequestID          string           `json:"requestID"`
	EventID            string           `json:"eventID"`
	ReadOnly           bool             `json:"readOnly"`
	Resources          []recordResource `json:"resources,omitempty"`
	EventType          string           `json:"eventType"`
	ManagementEvent    bool             `json:"managementEvent"`
	RecipientAccountID string           `json:"recipientAccountId"`
	EventCategory      string           `json:"eventCategory"`
}

type recordResource struct {
	AccountID string `json:"accountId,omitempty"`
	Type      string `json:"type,omitempty"`
	ARN       string `json:"ARN"`
}

type userIdentity struct {
	Type           string          `json:"type"`
	PrincipalID    string          `json:"principalId,omitempty"`
	ARN            string          `json:"arn,omitempty"`
	AccountID      string          `json:"accountId,omitempty"`
	AccessKeyID    string          `json:"accessKeyId,omitempty"`
	UserName       string          `json:"userName,omitempty"`
	SessionContext *sessionContext `json:"sessionContext,omitempty"`
}

type sessionContext struct {
	Issuer     *sessionIssuer    `json:"sessionIssuer,omitempty"`
	Attributes map[string]string `json:"attributes"`
}

type sessionIssuer struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
	ARN         string `json:"arn"`
	AccountID   string `json:"accountId"`
	UserName    string `json:"userName"`
}

var identityTypes = map[string]string{"root": "Root", "user": "IAMUser", "role": "AssumedRole", "federated": "FederatedUser", "component": "AWSService", "anonymous": "Unknown"}

// Record is a line as CloudTrail shows an event.
func Record(r store.AuditLine, region string) ([]byte, error) {
	var l audit.Line
	if err := json.Unmarshal(r.Body, &l); err != nil {
		return nil, err
	}
	out := record{
		EventVersion: "1.11", EventTime: l.Time.UTC().Format(time.RFC3339), EventSource: r.Source, EventName: l.Action, AWSRegion: region,
		SourceIPAddress: l.Source, UserAgent: l.Agent, ErrorCode: errorCode(&l), ErrorMessage: l.Text, RequestParameters: null(l.Params), ResponseElements: null(l.Made), RequestID: l.RequestID, EventID: r.Event, ReadOnly: l.Read,
		EventType: "AwsApiCall", ManagementEvent: !l.Data, RecipientAccountID: l.Account, EventCategory: "Management",
		UserIdentity: userIdentity{Type: identityTypes[l.Kind], PrincipalID: l.ID, ARN: l.ARN, AccountID: l.Account, AccessKeyID: l.AccessKey},
	}
	if l.Data {
		out.EventCategory = "Data"
	}
	if l.Kind == "user" {
		out.UserIdentity.UserName = userName(&l)
	}
	out.UserIdentity.SessionContext = sessionOf(&l)
	for _, arn := range l.On {
		if name, kind := resource(arn); name != "" {
			parts := strings.SplitN(arn, ":", 6)
			out.Resources = append(out.Resources, recordResource{AccountID: parts[4], Type: kind, ARN: arn})
		}
	}
	return json.Marshal(out)
}

func null(b json.RawMessage) json.RawMessage {
	if len(b) == 0 {
		return json.RawMessage("null")
	}
	return b
}

// errorCode is the code of a refusal; EC2's say whose fault it was.
func errorCode(l *audit.Line) string {
	if l.Code == "" || l.Service != "ec2" {
		return l.Code
	}
	if strings.HasPrefix(l.Code, "Insufficient") || l.Code == "InternalError" || l.Code == "ServiceUnavailable" {
		return "Server." + l.Code
	}
	return "Client." + l.Code
}

// sessionOf tells of the session that a request was made in; nil: in none.
func sessionOf(l *audit.Line) *sessionContext {
	if !l.MFA && l.Issued == nil && l.Kind != "role" {
		return nil
	}
	s := &sessionContext{Attributes: map[string]string{"mfaAuthenticated": strconv.FormatBool(l.MFA)}}
	if l.Issued != nil {
		s.Attributes["creationDate"] = l.Issued.UTC().Format(time.RFC3339)
	}
	if l.Role != "" {
		id, _, _ := strings.Cut(l.ID, ":")
		s.Issuer = &sessionIssuer{Type: "Role", PrincipalID: id, ARN: l.Role, AccountID: l.Account, UserName: l.Role[strings.LastIndexByte(l.Role, '/')+1:]}
	}
	return s
}
