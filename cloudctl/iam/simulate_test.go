package iam

import (
	"fmt"
	"slices"
	"testing"

	"karri/shared/action"
	"karri/shared/fault"
)

const (
	readAndNotDelete = `{"Version":"2012-10-17","Statement":[
  {"Sid":"Read","Effect":"Allow","Action":["s3:Get*","s3:DeleteObject"],"Resource":"arn:aws:s3:::pond/${aws:username}/*"},
  {"Sid":"NoDelete","Effect":"Deny","Action":"s3:Delete*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}]}`
	getOnly = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}`
)

func simulate(t *testing.T, in *SimulateCustomPolicyInput) []EvaluationResult {
	t.Helper()
	for _, a := range Catalog.All() {
		if a.Name == "SimulateCustomPolicy" {
			s := Catalog.With(&API{})
			_, _, out, err := s.Ask(t.Context(), action.Caller{Account: "111122223333"}, action.OwnerOnly{}, a.Name, *in)
			if err != nil {
				t.Fatal(err)
			}
			return out.(*SimulatePolicyOutput).EvaluationResults
		}
	}
	t.Fatal("there is no such action")
	return nil
}

func TestASimulationSaysWhatPoliciesWould(t *testing.T) {
	mine, yours := "arn:aws:s3:::pond/simulated/k", "arn:aws:s3:::pond/bob/k"
	got := simulate(t, &SimulateCustomPolicyInput{
		PolicyInputList: []string{readAndNotDelete}, ActionNames: []string{"s3:GetObject", "s3:DeleteObject"}, ResourceArns: []string{mine, yours},
		ContextEntries: []ContextEntry{{ContextKeyName: ptr("aws:MultiFactorAuthPresent"), ContextKeyType: ptr("boolean"), ContextKeyValues: []string{"false"}}},
	})
	var all []string
	for _, r := range got {
		all = append(all, r.EvalActionName+" "+val(r.EvalResourceName)+" "+r.EvalDecision)
	}
	want := []string{"s3:GetObject " + mine + " allowed", "s3:GetObject " + yours + " implicitDeny", "s3:DeleteObject " + mine + " explicitDeny", "s3:DeleteObject " + yours + " explicitDeny"}
	if !slices.Equal(all, want) {
		t.Errorf("got %q\nwant %q", all, want)
	}
	m := got[2].MatchedStatements[0]
	if val(m.SourcePolicyId) != "PolicyInputList.1" || fmt.Sprint(*m.StartPosition, *m.EndPosition) != "{3 3} {134 3}" {
		t.Errorf("%+v %+v %+v", val(m.SourcePolicyId), m.StartPosition, m.EndPosition)
	}
	if len(got[0].MissingContextValues) != 0 {
		t.Error(got[0].MissingContextValues)
	}
	bounded := simulate(t, &SimulateCustomPolicyInput{
		PolicyInputList: []string{readAndNotDelete}, PermissionsBoundaryPolicyInputList: []string{getOnly}, ActionNames: []string{"s3:GetObject", "s3:DeleteObject"}, ResourceArns: []string{mine},
	})
	if bounded[0].EvalDecision != "allowed" || !bounded[0].PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary ||
		bounded[1].EvalDecision != "implicitDeny" || bounded[1].PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary {
		t.Errorf("%+v", bounded)
	}
	if !slices.Equal(bounded[1].MissingContextValues, []string{"aws:MultiFactorAuthPresent"}) {
		t.Error(bounded[1].MissingContextValues)
	}
	open := simulate(t, &SimulateCustomPolicyInput{
		PolicyInputList: []string{getOnly}, ActionNames: []string{"s3:PutObject"}, ResourceArns: []string{mine}, CallerArn: ptr("arn:aws:iam::111122223333:user/ann"),
		ResourcePolicy: ptr(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::pond/*"}}`),
	})
	if open[0].EvalDecision != "allowed" || val(open[0].MatchedStatements[0].SourcePolicyType) != "resource" {
		t.Errorf("%+v", open)
	}
}

func TestContextKeysAreThoseOfConditionsAndVariables(t *testing.T) {
	docs, err := documents("p", []string{readAndNotDelete, getOnly})
	if got := contextKeys(docs); err != nil || !slices.Equal(got, []string{"aws:MultiFactorAuthPresent", "aws:username"}) {
		t.Error(got, err)
	}
	if _, err := documents("p", []string{"{"}); fault.CodeOf(err) != "MalformedPolicyDocument" {
		t.Error(err)
	}
}
