import { useList } from '../../live/use-list.ts';
import { isActiveRule, rulesView } from '../../relay/rules.ts';
import { ApprovalTabs } from '../approvals/approval-tabs.tsx';
import { DecidedHeading } from '../decided-heading.tsx';
import { ListPane } from '../list-pane.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { NewRule } from './new-rule.tsx';
import { RuleRow } from './rule-row.tsx';

/** What people have allowed beforehand: the rules that hold, and below them those that no longer do. */
export function RulesPage() {
  const rules = useList(rulesView);
  const active = rules.all.filter(isActiveRule);
  const ended = rules.all.filter((rule) => !isActiveRule(rule));
  const list = (
    <ListPane
      list={{ ...rules, items: [...active, ...ended] }}
      label="Standing rules"
      keyOf={({ id }) => id}
      rowHeight={92}
      row={(rule) => (
        <>
          {rule === ended[0] ? <DecidedHeading word="Over" isNothingOpen={active.length === 0} nothing="No rule holds now." /> : null}
          <RuleRow rule={rule} />
        </>
      )}
      refused="Standing rules are for people to see."
      empty={<NoRules />}
    />
  );
  const tools = (
    <>
      <ApprovalTabs chosen="rules" />
      <span className="grow" />
      <NewRule />
    </>
  );
  return <SplitPage title="Standing rules" hint="What is allowed without asking" tools={tools} list={list} detail={null} />;
}

const NoRules = () => (
  <Empty title="No standing rules.">
    <p>
      Where an agent asks the same thing again and again, press <b>Always allow…</b> on its question, or make a rule here. Each use is told,
      and a rule can be revoked at any time.
    </p>
  </Empty>
);
