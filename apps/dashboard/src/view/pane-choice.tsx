interface PaneChoiceProps<Pane extends string> {
  readonly panes: readonly Pane[];
  readonly chosen: Pane;
  readonly onChoose: (pane: Pane) => void;
  readonly place: string;
}

/** Which of the panes that stand beside each other in a wide window a narrow one shows. */
export function PaneChoice<Pane extends string>({ panes, chosen, onChoose, place }: PaneChoiceProps<Pane>) {
  return (
    <nav aria-label="Shown" className={`grid auto-cols-fr grid-flow-col border-line border-b bg-panel ${place}`}>
      {panes.map((pane) => (
        <button
          key={pane}
          type="button"
          aria-pressed={pane === chosen}
          className={`border-b-2 px-4 py-2 text-sm ${pane === chosen ? 'border-accent font-medium' : 'border-transparent text-soft hover:text-ink'}`}
          onClick={() => onChoose(pane)}
        >
          {pane}
        </button>
      ))}
    </nav>
  );
}
