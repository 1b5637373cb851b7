import { Link } from '@tanstack/react-router';
import { Empty } from './split-page.tsx';

/** Where an address leads that no page has. */
export const NoSuchPage = () => (
  <main>
    <Empty title="There is no such page.">
      <p>
        Choose one above, or go to{' '}
        <Link to="/messages" className="text-accent hover:underline">
          all messages
        </Link>
        .
      </p>
    </Empty>
  </main>
);
