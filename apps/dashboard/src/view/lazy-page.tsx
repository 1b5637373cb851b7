import { Component, type ComponentType, type FunctionComponent, lazy, type ReactNode, Suspense } from 'react';

const loaders: (() => Promise<unknown>)[] = [];

/** A page whose script is read when somebody goes there, or when nothing else is to do (`loadPages`). */
export function lazyPage<Props extends object>(load: () => Promise<ComponentType<Props>>): FunctionComponent<Props> {
  loaders.push(load);
  const Page = lazy(async () => ({ default: await load() }));
  return (props) => (
    <NotLoaded>
      <Suspense fallback={<main className="p-6 text-soft">Loading…</main>}>
        <Page {...props} />
      </Suspense>
    </NotLoaded>
  );
}

/** What a press opens, as a dialog: its script is read like that of a page, and nothing stands in its place until it is there. */
export function lazyPart<Props extends object>(load: () => Promise<ComponentType<Props>>): FunctionComponent<Props> {
  loaders.push(load);
  const Part = lazy(async () => ({ default: await load() }));
  return (props) => (
    <NotLoaded isPart>
      <Suspense fallback={null}>
        <Part {...props} />
      </Suspense>
    </NotLoaded>
  );
}

/** Reads all pages, one after the other, so that going there needs no relay: it may be away by then. */
export async function loadPages(): Promise<void> {
  for (const load of loaders) await load().catch(() => {});
}

/** Says that a page's script could not be read: the relay is away, or is another build by now. */
class NotLoaded extends Component<{ readonly isPart?: boolean; readonly children: ReactNode }, { readonly isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError(error: unknown) {
    // What a browser says of a script that it could not read is a TypeError that names the module; everything else is a fault of ours.
    if (!(error instanceof TypeError && /module/u.test(error.message))) throw error;
    return { isBroken: true };
  }

  override render() {
    if (!this.state.isBroken) return this.props.children;
    if (this.props.isPart) return <PartNotLoaded />;
    return (
      <main className="grid justify-items-center gap-3 p-10 text-center">
        <p role="alert">This page could not be loaded from the relay.</p>
        <button type="button" className="button" onClick={() => window.location.reload()}>
          Load it again
        </button>
      </main>
    );
  }
}

const PartNotLoaded = () => (
  <span role="alert" className="text-bad text-xs">
    This could not be loaded; load the page again.
  </span>
);
